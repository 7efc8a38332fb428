using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Portico.IntegrationTests.Packages;

/// <summary>
/// A program for the kernel's filter of system calls (seccomp) that does what two lines of the unit do: no memory that is written
/// and run (MemoryDenyWriteExecute), no sockets but those of RestrictAddressFamilies. systemd makes such a program of the unit; this one
/// can be applied where there is no systemd.
/// </summary>
internal sealed class SystemCallRules
{
    // Instructions of the kernel's packet filter: load a word, jump if equal, jump if a bit is set, keep some bits, end.
    private const ushort Load = 0x20, IfEqual = 0x15, And = 0x54, End = 0x06;

    // Where the filter's input has the call's number, the processor and the arguments (8 bytes each, the lower half first).
    private const uint Number = 0, Processor = 4, FirstArgument = 16, ThirdArgument = 32;

    private const uint Allow = 0x7fff0000, Refuse = 0x00050000, Kill = 0x80000000;
    private const uint NotPermitted = 1, NoSuchFamily = 97;
    private const uint Write = 2, Execute = 4;
    private const uint Unix = 1, IPv4 = 2, IPv6 = 10, Netlink = 16;

    private readonly List<byte> _program = [];

    private SystemCallRules()
    {
    }

    /// <summary>Whether the numbers of this processor's system calls are known here.</summary>
    public static bool AreKnown => Numbers() is not null;

    /// <summary>The program, as `bwrap --seccomp` reads it.</summary>
    /// <param name="mayAskForAddresses">Whether sockets of AF_NETLINK are among those that are allowed.</param>
    public static byte[] Make(bool mayAskForAddresses)
    {
        var (processor, socket, map, protect, protectByKey) = Numbers()!.Value;
        uint[] families = mayAskForAddresses ? [Unix, IPv4, IPv6, Netlink] : [Unix, IPv4, IPv6];
        var rules = new SystemCallRules();
        rules.Add(Load, 0, 0, Processor);
        rules.Add(IfEqual, 1, 0, processor);
        rules.Add(End, 0, 0, Kill);

        rules.Of(socket, 2 + families.Length, () =>
        {
            rules.Add(Load, 0, 0, FirstArgument);
            for (var i = 0; i < families.Length; i++) rules.Add(IfEqual, (byte)(families.Length - i), 0, families[i]);
            rules.Add(End, 0, 0, Refuse | NoSuchFamily);
        });
        rules.Of(map, 4, () => rules.RefuseIfAll(Write | Execute));
        rules.Of(protect, 4, () => rules.RefuseIfAll(Execute));
        rules.Of(protectByKey, 4, () => rules.RefuseIfAll(Execute));
        rules.Add(End, 0, 0, Allow);
        return [.. rules._program];
    }

    private static (uint Processor, uint Socket, uint Map, uint Protect, uint ProtectByKey)? Numbers() =>
        RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => (0xc000003e, 41, 9, 10, 329),
            Architecture.Arm64 => (0xc00000b7, 198, 222, 226, 288),
            _ => null,
        };

    // What follows is for one call only; afterwards, and for all others, comes the next rule.
    private void Of(uint call, int length, Action rule)
    {
        Add(Load, 0, 0, Number);
        Add(IfEqual, 0, (byte)length, call);
        var before = _program.Count;
        rule();
        if (_program.Count != before + length * 8)
            throw new InvalidOperationException($"the rule has another length than {length}");
    }

    private void RefuseIfAll(uint bits)
    {
        Add(Load, 0, 0, ThirdArgument);
        Add(And, 0, 0, bits);
        Add(IfEqual, 0, 1, bits);
        Add(End, 0, 0, Refuse | NotPermitted);
    }

    private void Add(ushort code, byte ifTrue, byte ifFalse, uint operand)
    {
        Span<byte> instruction = stackalloc byte[8];
        BinaryPrimitives.WriteUInt16LittleEndian(instruction, code);
        (instruction[2], instruction[3]) = (ifTrue, ifFalse);
        BinaryPrimitives.WriteUInt32LittleEndian(instruction[4..], operand);
        _program.AddRange(instruction);
    }
}

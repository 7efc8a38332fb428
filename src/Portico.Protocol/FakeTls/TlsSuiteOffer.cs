using System.Buffers.Binary;

namespace Portico.Protocol.FakeTls;

/// <summary>
/// Which of the suites 1301, 1302, 1303 a client offers, and in what order.
/// A TLS 1.3 server's choice depends on nothing else of the list, and there are only
/// <see cref="Count"/> such offers, so that all of a server's preferences fit into a table.
/// </summary>
/// <remarks>One base-4 digit per suite, its last hex digit, the client's first suite in the highest.</remarks>
public readonly record struct TlsSuiteOffer
{
    /// <summary>Codes are below this: three digits of base 4.</summary>
    public const int MaxCode = 64;

    /// <summary>Three offers of one suite, six of two, six of three.</summary>
    public const int Count = 15;

    private const int FirstSuite = TlsCipherSuites.Aes128GcmSha256;
    private const int SuiteCount = 3;

    private TlsSuiteOffer(int code) => Code = (byte)code;

    /// <summary>What Telegram's clients and browsers offer: 1301, 1302, 1303.</summary>
    public static TlsSuiteOffer Usual { get; } = new(0b01_10_11);

    /// <summary>A number below <see cref="MaxCode"/> for this offer and no other; 0: none of the three.</summary>
    public byte Code { get; }

    /// <summary>None of the three.</summary>
    public bool IsEmpty => Code == 0;

    /// <summary>Every offer of at least one suite.</summary>
    public static IEnumerable<TlsSuiteOffer> All
    {
        get
        {
            for (var code = 1; code < MaxCode; code++)
            {
                if (TryFromCode(code, out var offer))
                    yield return offer;
            }
        }
    }

    /// <summary>The suites in the client's order.</summary>
    public IEnumerable<ushort> Suites
    {
        get
        {
            for (var shift = 4; shift >= 0; shift -= 2)
            {
                var digit = Code >> shift & SuiteCount;
                if (digit != 0)
                    yield return (ushort)(FirstSuite - 1 + digit);
            }
        }
    }

    /// <summary>Reads a client's list; of a suite that stands there twice the first counts.</summary>
    /// <param name="offered">Two bytes each; an odd last byte is ignored.</param>
    public static TlsSuiteOffer Of(ReadOnlySpan<byte> offered)
    {
        var (code, seen) = (0, 0);
        for (; offered.Length >= 2; offered = offered[2..])
        {
            var digit = BinaryPrimitives.ReadUInt16BigEndian(offered) - FirstSuite + 1;
            if (digit is < 1 or > SuiteCount || (seen & 1 << digit) != 0)
                continue;
            seen |= 1 << digit;
            code = code << 2 | digit;
        }
        return new TlsSuiteOffer(code);
    }

    /// <summary>The contrary of <see cref="Code"/>; false if no offer of at least one suite has it.</summary>
    public static bool TryFromCode(int code, out TlsSuiteOffer offer)
    {
        offer = default;
        if (code is <= 0 or >= MaxCode)
            return false;
        var seen = 0;
        for (var rest = code; rest != 0; rest >>= 2)
        {
            var digit = rest & SuiteCount;
            if (digit == 0 || (seen & 1 << digit) != 0)
                return false;
            seen |= 1 << digit;
        }
        offer = new TlsSuiteOffer(code);
        return true;
    }

    /// <summary>Whether a server may choose this suite.</summary>
    public bool Contains(ushort suite)
    {
        foreach (var offered in Suites)
        {
            if (offered == suite)
                return true;
        }
        return false;
    }

    /// <inheritdoc/>
    public override string ToString() =>
        string.Join(' ', Suites.Select(suite => suite.ToString("x4", System.Globalization.CultureInfo.InvariantCulture)));
}

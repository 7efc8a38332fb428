using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Portico.Protocol.Crypto;
using Portico.Protocol.Secrets;

namespace Portico.Protocol.Obfuscation;

/// <summary>temporary</summary>
[InlineArray(48)]
public struct AesKeyIv
{
    private byte _first;
}

/// <summary>temporary</summary>
public struct ObfuscatedStreams
{
    /// <summary>c2s</summary>
    public AesCtr ClientToServer;

    /// <summary>s2c</summary>
    public AesCtr ServerToClient;

    /// <summary>key</summary>
    public AesKeyIv ServerToClientKey;
}

/// <summary>temporary</summary>
public static class ObfuscatedHeader
{
    /// <summary>64</summary>
    public const int Length = 64;

    /// <summary>temporary</summary>
    public static bool TryRead(ReadOnlySpan<byte> header, ProxySecret? secret, out ObfuscatedStreams streams, out Transport transport, out short dcId)
    {
        streams = default;
        Span<byte> keyIv = stackalloc byte[48];
        header.Slice(8, 48).CopyTo(keyIv);
        Derive(keyIv, secret);
        streams.ClientToServer = new AesCtr(keyIv[..32], keyIv[32..]);
        header.Slice(8, 48).CopyTo(keyIv);
        keyIv.Reverse();
        Derive(keyIv, secret);
        streams.ServerToClient = new AesCtr(keyIv[..32], keyIv[32..]);
        keyIv.CopyTo(streams.ServerToClientKey);
        Span<byte> plain = stackalloc byte[64];
        header.CopyTo(plain);
        streams.ClientToServer.Transform(plain);
        dcId = BinaryPrimitives.ReadInt16LittleEndian(plain[60..]);
        transport = default;
        switch (BinaryPrimitives.ReadUInt32LittleEndian(plain[56..]))
        {
            case 0xefefefef: transport = Transport.Abridged; return true;
            case 0xeeeeeeee: transport = Transport.Intermediate; return true;
            case 0xdddddddd: transport = Transport.Padded; return true;
            default: return false;
        }
    }

    /// <summary>temporary</summary>
    public static bool HasForbiddenStart(ReadOnlySpan<byte> first8)
    {
        var a = BinaryPrimitives.ReadUInt32BigEndian(first8);
        return first8[0] == 0xef || a is 0x48454144 or 0x504f5354 or 0x47455420 or 0x4f505449 or 0xdddddddd or 0xeeeeeeee or 0x16030102 || BinaryPrimitives.ReadUInt32BigEndian(first8[4..]) == 0;
    }

    /// <summary>temporary</summary>
    public static void WriteToDc(Span<byte> header, Transport transport, short dcId, in AesKeyIv clientKey, out AesCtr toDc)
    {
        ((ReadOnlySpan<byte>)clientKey).CopyTo(header.Slice(8, 48));
        header.Slice(8, 48).Reverse();
        WriteToDc(header, transport, dcId, out toDc, out _);
    }

    /// <summary>temporary</summary>
    public static void WriteToDc(Span<byte> header, Transport transport, short dcId, out AesCtr toDc, out AesCtr fromDc)
    {
        Span<byte> reversed = stackalloc byte[48];
        header.Slice(8, 48).CopyTo(reversed);
        reversed.Reverse();
        fromDc = new AesCtr(reversed[..32], reversed[32..]);
        toDc = new AesCtr(header.Slice(8, 32), header.Slice(40, 16));
        header.Slice(56, 4).Fill(transport switch { Transport.Abridged => 0xef, Transport.Intermediate => 0xee, _ => 0xdd });
        BinaryPrimitives.WriteInt16LittleEndian(header[60..], dcId);
        Span<byte> encrypted = stackalloc byte[64];
        header.CopyTo(encrypted);
        toDc.Transform(encrypted);
        encrypted[56..].CopyTo(header[56..]);
    }

    private static void Derive(Span<byte> keyIv, ProxySecret? secret)
    {
        if (secret is null) return;
        Span<byte> material = stackalloc byte[48];
        keyIv[..32].CopyTo(material);
        secret.Key.CopyTo(material[32..]);
        SHA256.HashData(material, keyIv[..32]);
    }
}

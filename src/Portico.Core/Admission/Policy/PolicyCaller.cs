using System.Text;
using Portico.Core.Net;
using Portico.Core.Options;

namespace Portico.Core.Admission.Policy;

/// <summary>What the rules may ask of a client that knows a secret. Lives as long as the bytes that it points to.</summary>
/// <param name="listener">Name of the listener.</param>
/// <param name="domain">The host that it names, as sent; empty = it speaks no TLS.</param>
/// <param name="address">Its address, 4 or 16 bytes in network order; empty = it is gone.</param>
internal readonly ref struct PolicyCaller(string listener, ReadOnlySpan<byte> domain, ReadOnlySpan<byte> address)
{
    private const int V4Length = 4, V6Length = 16;

    private readonly ReadOnlySpan<byte> _domain = domain;

    // An IPv4 client of a dual-stack listener is an IPv4 client.
    private readonly ReadOnlySpan<byte> _address = ClientNetwork.Unmap(address);

    /// <summary>Writes the value of a key in the form that is compared.</summary>
    /// <param name="key">The key.</param>
    /// <param name="target">At least <see cref="PolicyValue.Most"/> bytes.</param>
    /// <returns>The value's length; -1 = this client has no such thing.</returns>
    public int Write(PolicyKey key, Span<byte> target)
    {
        switch (key.Kind)
        {
            case PolicyKeyKind.PortName:
                return Encoding.UTF8.TryGetBytes(listener, target[..PolicyValue.MaxLength], out var length) ? length : 0;
            case PolicyKeyKind.TlsDomain:
                return _domain.IsEmpty ? -1 : PolicyValue.WriteDomain(_domain, target);
            default:
                var wanted = key.Kind == PolicyKeyKind.ClientV4 ? V4Length : V6Length;
                return _address.Length == wanted ? PolicyValue.WriteAddress(_address, key.Bits, target) : -1;
        }
    }
}

using System.Security.Cryptography;
using Portico.Protocol.MiddleProxy;

namespace Portico.SelfTest;

/// <summary>A way from the proxy to Telegram.</summary>
/// <param name="Name">As in the names of checks.</param>
/// <param name="PassThrough">Direct mode: downloads without cipher work.</param>
/// <param name="AdTag">
/// Of the proxy's only user. With one the way leads through a middle proxy,
/// without one to a data centre: the choice is part of what is checked.
/// </param>
internal sealed record BackendUnderTest(string Name, bool PassThrough = false, AdTag? AdTag = null)
{
    /// <summary>Every way.</summary>
    public static IReadOnlyList<BackendUnderTest> All { get; } =
    [
        new("direct-pass-through", PassThrough: true),
        new("direct-recrypt"),
        new("middle", AdTag: AdTag.Create(RandomNumberGenerator.GetBytes(AdTag.Length))),
    ];

    /// <summary>Whether it leads through a middle proxy.</summary>
    public bool IsMiddle => AdTag is not null;
}

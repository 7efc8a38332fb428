using Portico.Protocol;
using Portico.TestKit.Clients;

namespace Portico.IntegrationTests.MiddleProxy;

/// <summary>Clients that a middle proxy is told different things of.</summary>
public enum ClientKind
{
    Abridged,
    Intermediate,
    Secure,
    FakeTls,
}

internal static class ClientKinds
{
    /// <summary>The habits of such a client.</summary>
    public static ClientProfile Profile(this ClientKind kind) => kind switch
    {
        ClientKind.Abridged => new ClientProfile { Mode = ClientMode.Plain, Transport = Transport.Abridged },
        ClientKind.Intermediate => new ClientProfile { Mode = ClientMode.Plain, Transport = Transport.Intermediate },
        ClientKind.Secure => new ClientProfile { Mode = ClientMode.Secure },
        ClientKind.FakeTls => new ClientProfile(),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>Its label in metrics.</summary>
    public static string Label(this ClientKind kind) => kind switch
    {
        ClientKind.Abridged => "abridged",
        ClientKind.Intermediate => "intermediate",
        ClientKind.Secure => "secure",
        ClientKind.FakeTls => "fake_tls",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}

using Portico.Protocol.Secrets;
using Portico.SelfTest;

namespace Portico.Ping;

/// <summary>The proxy of a link.</summary>
/// <param name="Host">A name or an address.</param>
/// <param name="Port">1 to 65535.</param>
/// <param name="Secret">What clients must know.</param>
/// <param name="Domain">The name in a fake-TLS hello.</param>
internal sealed record PingTarget(string Host, int Port, ProxySecret Secret, string Domain)
{
    /// <summary>For links whose secret has none.</summary>
    public const string AnyDomain = "example.com";

    /// <summary>Everything but the secret.</summary>
    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}

/// <summary>What to ask.</summary>
/// <param name="Dcs">Data centres.</param>
/// <param name="Manners">Protocols.</param>
/// <param name="Timeout">For each of connect, handshake and answer.</param>
/// <param name="Repeat">How often.</param>
internal sealed record PingOptions(short[] Dcs, ClientManner[] Manners, TimeSpan Timeout, int Repeat);

/// <summary>One data centre by one protocol: times in milliseconds over the times that it answered, and why it did not.</summary>
internal sealed record PingResult(short Dc, PingTimes[] Answers, string[] Errors)
{
    /// <summary>It answered each time.</summary>
    public bool IsOk => Errors.Length == 0;
}

/// <summary>How long one answer took, in milliseconds.</summary>
/// <param name="Tcp">Until the proxy took the connection.</param>
/// <param name="Handshake">From there to the proxy's flight; 0 without TLS.</param>
/// <param name="Ping">From the question to the data centre's answer.</param>
internal readonly record struct PingTimes(double Tcp, double Handshake, double Ping);

/// <summary>All data centres by one protocol.</summary>
internal sealed record ProtocolResult(string Protocol, PingResult[] Dcs)
{
    /// <summary>Every one of them answered.</summary>
    public bool IsWhole => Dcs.All(dc => dc.IsOk);
}

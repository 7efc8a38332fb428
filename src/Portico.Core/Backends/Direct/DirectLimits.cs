using Portico.Core.Options;

namespace Portico.Core.Backends.Direct;

/// <summary>What a direct relay keeps to. One for all of them.</summary>
/// <param name="IdleMs">Without a byte in either direction.</param>
/// <param name="ClientWriteMs">Without a byte taken by a client for which there are some.</param>
/// <param name="PassThrough">Downloads need no cipher work.</param>
internal sealed record DirectLimits(long IdleMs, long ClientWriteMs, bool PassThrough)
{
    public static DirectLimits Of(ProxySettings settings) => new(
        (long)settings.Timeouts.Idle.TotalMilliseconds, (long)settings.Timeouts.ClientWrite.TotalMilliseconds, settings.Direct.PassThrough);
}

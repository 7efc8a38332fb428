namespace Portico.Core.Net;

/// <summary>
/// Checks that cost too much for production: wrong thread, nested scratch, use after return. Test projects switch them on with the
/// runtime option <c>Portico.LoopChecks</c>; where it is off the compiler removes them.
/// </summary>
internal static class LoopChecks
{
    public static readonly bool Enabled = AppContext.TryGetSwitch("Portico.LoopChecks", out var on) && on;
}

using Portico.Core.Net;

namespace Portico.Core.Web;

/// <summary>The end of a session that is to end soon: when its streams are silent, or at a time; the app hears BYE before.</summary>
internal sealed class WebDrain : ILoopTask
{
    // Without a byte for so long nothing is cut, and BYE has so long to be fetched.
    private const int SilentMs = 2000, FarewellMs = 300, RoundMs = 50;

    private readonly WebSession _session;
    private readonly Action _sayBye;
    private readonly long _latestMs;
    private bool _hasSaidBye;

    /// <param name="session">Which.</param>
    /// <param name="sayBye">Tells its app, by whatever carrier there is.</param>
    /// <param name="latestMs">On the loop's clock.</param>
    public WebDrain(WebSession session, Action sayBye, long latestMs) =>
        (_session, _sayBye, _latestMs) = (session, sayBye, latestMs - FarewellMs - RoundMs);

    public void Run()
    {
        if (_session.Ended is not null) return;
        if (_hasSaidBye)
        {
            _session.End(WebEnd.Shutdown);
            return;
        }

        var now = _session.Loop.NowMs;
        _hasSaidBye = now - _session.LastByteMs >= SilentMs || now >= _latestMs;
        if (_hasSaidBye) _sayBye();
        _session.Loop.EnqueueAt(now + (_hasSaidBye ? FarewellMs : RoundMs), this);
    }

    public void OnFault(Exception error) => _session.End(WebEnd.Fault, error);
}

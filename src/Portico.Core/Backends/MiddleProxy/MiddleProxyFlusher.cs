using Portico.Core.Net;

namespace Portico.Core.Backends.MiddleProxy;

/// <summary>Writes the links of a loop that got frames in this turn, once, after all clients had theirs read.</summary>
internal sealed class MiddleProxyFlusher(EventLoop loop) : ILoopTask
{
    private List<MiddleProxyConnection> _dirty = [];
    private List<MiddleProxyConnection> _flushing = [];

    public void Add(MiddleProxyConnection link)
    {
        _dirty.Add(link);
        if (_dirty.Count == 1) loop.Enqueue(this);
    }

    public void Run()
    {
        (_dirty, _flushing) = (_flushing, _dirty);
        foreach (var link in _flushing)
        {
            try
            {
                link.Encrypt();
                link.Flush();
            }
            catch (Exception error) when (!EventLoop.IsFatal(error))
            {
                link.OnFault(error);
            }
        }

        _flushing.Clear();
    }

    // Run gives each fault to the link that it belongs to.
    public void OnFault(Exception error)
    {
    }
}

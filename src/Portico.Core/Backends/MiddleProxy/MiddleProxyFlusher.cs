using System.Runtime.InteropServices;
using Portico.Core.Net;

namespace Portico.Core.Backends.MiddleProxy;

/// <summary>
/// Writes the links of a loop that got frames in this turn, once, after all clients had theirs read.
/// Four links at a time are encrypted in lock step: a chain alone leaves the processor waiting (docs/performance.md).
/// </summary>
internal sealed class MiddleProxyFlusher(EventLoop loop) : ILoopTask
{
    private const int AtATime = 4;

    // Chains of about the same length waste least of each other's time.
    private static readonly Comparison<MiddleProxyConnection> LongestFirst = static (one, other) =>
        other.Writer.PlainLength.CompareTo(one.Writer.PlainLength);

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
        foreach (var link in _flushing) link.Writer.Pad();
        if (_flushing.Count > AtATime) _flushing.Sort(LongestFirst);
        var links = CollectionsMarshal.AsSpan(_flushing);
        for (var first = 0; first < links.Length; first += AtATime)
        {
            var left = links.Length - first;
            LinkWriter.Encrypt(
                links[first].Writer,
                left > 1 ? links[first + 1].Writer : null,
                left > 2 ? links[first + 2].Writer : null,
                left > 3 ? links[first + 3].Writer : null);
        }

        foreach (var link in _flushing)
        {
            try
            {
                link.Flush();
            }
            catch (Exception error) when (!EventLoop.IsFatal(error))
            {
                link.OnFault(error);
            }
        }

        _flushing.Clear();
    }

    // Before any link was written: none of them can go on with a chain that is half computed.
    public void OnFault(Exception error)
    {
        foreach (var link in _flushing) link.OnFault(error);
        _flushing.Clear();
    }
}

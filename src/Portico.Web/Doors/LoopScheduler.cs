using System.IO.Pipelines;
using Portico.Core.Net;

namespace Portico.Web.Doors;

/// <summary>Runs what waits for a pipe on an event loop.</summary>
/// <param name="loop">Where.</param>
internal sealed class LoopScheduler(EventLoop loop) : PipeScheduler
{
    // A continuation tells its own task of what it throws.
    public override void Schedule(Action<object?> action, object? state) => loop.Post(() => action(state));
}

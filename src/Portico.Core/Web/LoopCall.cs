using Portico.Core.Net;

namespace Portico.Core.Web;

/// <summary>One question of another thread to a loop: asked there, answered there, awaited where it came from.</summary>
/// <param name="ask">Runs on the loop and answers, at once or later.</param>
internal sealed class LoopCall<T>(Action<LoopCall<T>> ask)
    : TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously), ILoopTask
{
    public void Run() => ask(this);

    public void OnFault(Exception error) => TrySetException(error);

    /// <summary>Asks.</summary>
    public static Task<T> On(EventLoop loop, Action<LoopCall<T>> ask)
    {
        var call = new LoopCall<T>(ask);
        loop.Post(call);
        return call.Task;
    }
}

using Portico.Core.Net;

namespace Portico.Core.Web;

/// <summary>One question of another thread to a loop: asked there, answered there, awaited where it came from.</summary>
/// <param name="ask">Runs on the loop and answers, at once or later.</param>
/// <param name="onFault">Hears, on the loop, of an exception of ours that left it without an answer; null = only who asked does.</param>
internal sealed class LoopCall<T>(Action<LoopCall<T>> ask, Action<Exception>? onFault = null)
    : TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously), ILoopTask
{
    public void Run() => ask(this);

    public void OnFault(Exception error)
    {
        TrySetException(error);
        onFault?.Invoke(error);
    }

    /// <summary>Asks.</summary>
    public static Task<T> On(EventLoop loop, Action<LoopCall<T>> ask, Action<Exception>? onFault = null)
    {
        var call = new LoopCall<T>(ask, onFault);
        loop.Post(call);
        return call.Task;
    }
}

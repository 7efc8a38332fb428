using System.Runtime.CompilerServices;
using Portico.TestKit.Wires;

namespace Portico.TestKit.Telegram;

/// <summary>
/// Wakes tests that wait for something in a fake's books; one may serve
/// several fakes, so that a test can wait for what concerns all of them.
/// </summary>
internal sealed class News
{
    private TaskCompletionSource _next = NewSignal();

    /// <summary>The books have changed. To be called after the change and outside of any lock.</summary>
    internal void Tell() => Interlocked.Exchange(ref _next, NewSignal()).TrySetResult();

    /// <summary>Looks at once, and again after every change.</summary>
    /// <exception cref="PeerSurpriseException">It did not become true in time.</exception>
    internal async Task UntilAsync(
        Func<bool> condition, Func<string> books, [CallerArgumentExpression(nameof(condition))] string? what = null)
    {
        using var clock = new CancellationTokenSource(Wire.Patience);
        while (true)
        {
            // taken before the look, or a change between look and wait would be missed
            var next = Volatile.Read(ref _next).Task;
            if (condition())
                return;
            try
            {
                await next.WaitAsync(clock.Token);
            }
            catch (OperationCanceledException)
            {
                throw new PeerSurpriseException($"never came true: {what}. The books: {books()}");
            }
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

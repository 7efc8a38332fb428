using System.Diagnostics;
using System.Net.Sockets;

namespace Portico.SelfTest;

/// <summary>
/// One thing the proxy must do. Fails by <see cref="CheckFailedException"/>,
/// a socket error or its deadline; anything else is a bug of the self test.
/// </summary>
/// <param name="Name"><c>engine/backend/client/what</c>, unique in a run.</param>
/// <param name="RunAsync">The client's side of it.</param>
internal sealed record Check(string Name, Func<CancellationToken, Task> RunAsync)
{
    /// <summary>Runs it and says how it went.</summary>
    public async Task<CheckResult> ResultAsync(TimeSpan deadline, CancellationToken cancel)
    {
        var started = Stopwatch.GetTimestamp();
        var error = await ErrorAsync(deadline, cancel);
        return new CheckResult(Name, (long)Stopwatch.GetElapsedTime(started).TotalMilliseconds, error);
    }

    private async Task<string?> ErrorAsync(TimeSpan deadline, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(deadline);
        try
        {
            await RunAsync(limit.Token);
            return null;
        }
        catch (CheckFailedException failed)
        {
            return failed.Message;
        }
        catch (SocketException failed)
        {
            return $"socket error {failed.SocketErrorCode}";
        }
        catch (OperationCanceledException)
        {
            return cancel.IsCancellationRequested
                ? "interrupted"
                : FormattableString.Invariant($"not done within {deadline.TotalSeconds} s");
        }
    }
}

/// <summary>How a check went.</summary>
/// <param name="Name">The check's.</param>
/// <param name="Milliseconds">How long it took, beside all the others.</param>
/// <param name="Error">Null = passed.</param>
internal sealed record CheckResult(string Name, long Milliseconds, string? Error)
{
    public bool Ok => Error is null;
}

namespace Portico.Doctor;

/// <summary>Runs checks side by side, each within a time of its own, and puts what they say in the order of the checks.</summary>
internal static class DoctorRun
{
    /// <summary>At least one entry for each check.</summary>
    public static async Task<IReadOnlyList<Entry>> RunAsync(
        IReadOnlyList<ICheck> checks, TimeSpan patience, TimeProvider time, CancellationToken cancel)
    {
        var found = await Task.WhenAll(checks.Select(check => RunAsync(check, patience, time, cancel)));
        return [.. checks.Zip(found, (check, findings) => findings.Select(finding => new Entry(check.Name, finding))).SelectMany(it => it)];
    }

    private static async Task<IReadOnlyList<Finding>> RunAsync(
        ICheck check, TimeSpan patience, TimeProvider time, CancellationToken cancel)
    {
        using var clock = new CancellationTokenSource(patience, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(clock.Token, cancel);
        try
        {
            // A resolver or a file that is on a dead network hears of no token: it is left behind.
            return await StartAsync(check, stop.Token).WaitAsync(stop.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return
            [
                Diagnoses.CheckSlow.Found(
                    $"not done within {patience.TotalSeconds:0} s", "look at the name server, the network and the disk of this machine"),
            ];
        }
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            var message = problem.Message.ReplaceLineEndings(" ");
            return [Diagnoses.CheckBroken.Found($"the check ended by an exception: {message}", "please report it")];
        }
    }

    private static async Task<IReadOnlyList<Finding>> StartAsync(ICheck check, CancellationToken stop)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // one that reads files holds up no other
        return await check.RunAsync(stop);
    }
}

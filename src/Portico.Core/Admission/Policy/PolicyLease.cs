namespace Portico.Core.Admission.Policy;

/// <summary>
/// Remembers exactly which counters a client has raised, and lowers them once: also when a later rule refuses it,
/// and when there are other rules by the time it goes.
/// </summary>
internal struct PolicyLease : IDisposable
{
    // Most have one: it stands here itself. More are an array, filled from the front.
    private object? _raised;

    /// <summary>The client counts there.</summary>
    /// <param name="counter">Raised.</param>
    /// <param name="most">How many there may come to be.</param>
    public void Add(PolicyCounter counter, int most)
    {
        switch (_raised)
        {
            case null:
                _raised = counter;
                break;
            case PolicyCounter first:
                var both = new PolicyCounter[most];
                (both[0], both[1]) = (first, counter);
                _raised = both;
                break;
            default:
                var more = (PolicyCounter[])_raised;
                more[Array.IndexOf(more, null)] = counter;
                break;
        }
    }

    public void Dispose()
    {
        if (_raised is PolicyCounter one)
        {
            one.Lower();
        }
        else if (_raised is PolicyCounter?[] more)
        {
            foreach (var counter in more) counter?.Lower();
        }

        _raised = null;
    }
}

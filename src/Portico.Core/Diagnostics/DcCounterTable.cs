namespace Portico.Core.Diagnostics;

/// <summary>One loop's counters of the data centres that were asked for. The loop adds, any thread reads.</summary>
internal sealed class DcCounterTable
{
    private readonly Dictionary<int, DcCounters> _dcs = [];

    /// <summary>All of this moment.</summary>
    public IEnumerable<DcCounters> All
    {
        get
        {
            lock (_dcs) return [.. _dcs.Values];
        }
    }

    /// <summary>Those of a data centre, by its signed id.</summary>
    public DcCounters Of(int dc)
    {
        lock (_dcs)
        {
            if (!_dcs.TryGetValue(dc, out var counters)) _dcs[dc] = counters = new DcCounters(dc);
            return counters;
        }
    }
}

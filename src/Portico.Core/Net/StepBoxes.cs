namespace Portico.Core.Net;

/// <summary>What waiting methods keep, while nobody waits: one store per thread and kind, so nothing here locks.</summary>
internal static class StepBoxes
{
    // Beyond that a burst is left to the collector.
    private const int Most = 4096;

    [ThreadStatic]
    private static List<Store>? _stores;

    /// <summary>Gives up all but <paramref name="kept"/> of each kind on this thread.</summary>
    public static void Trim(int kept)
    {
        foreach (var store in _stores ?? []) store.Trim(kept);
    }

    /// <summary>The stores of this thread, for <see cref="Trim"/>.</summary>
    internal abstract class Store
    {
        protected Store() => (_stores ??= []).Add(this);

        public abstract void Trim(int kept);
    }

    /// <summary>One kind on one thread.</summary>
    internal sealed class Store<TBox> : Store
        where TBox : class, new()
    {
        [ThreadStatic]
        private static Store<TBox>? _here;

        private readonly Stack<TBox> _free = new();

        public static Store<TBox> Here => _here ??= new();

        public TBox Rent() => _free.TryPop(out var box) ? box : new TBox();

        public void Return(TBox box)
        {
            if (_free.Count < Most) _free.Push(box);
        }

        public override void Trim(int kept)
        {
            while (_free.Count > kept) _free.Pop();
            _free.TrimExcess();
        }
    }
}

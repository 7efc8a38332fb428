using System.Collections.Immutable;
using Portico.Protocol.FakeTls;

namespace Portico.Core.Cover.Learning;

/// <summary>
/// The hellos that the learner has under way, by their random. If one of them arrives
/// at a listener of ours, the cover's address leads back to us (a port forwarded by a router,
/// which no comparison of addresses finds), and it must not be passed on to the cover again. Any thread.
/// </summary>
internal sealed class LearnerHellos
{
    private ImmutableArray<Entry> _entries = [];

    /// <summary>Remembers a hello until the entry is disposed of.</summary>
    public Entry Add(byte[] hello)
    {
        var entry = new Entry(this, ClientHelloReader.RandomOf(hello).ToArray());
        ImmutableInterlocked.Update(ref _entries, (entries, added) => entries.Add(added), entry);
        return entry;
    }

    /// <summary>Whether a stranger is our own learner, which is told.</summary>
    /// <param name="raw">All bytes of the stranger.</param>
    public bool Recognize(ReadOnlySpan<byte> raw)
    {
        var random = ClientHelloReader.RandomOf(raw);
        if (random.IsEmpty) return false;
        foreach (var entry in _entries)
        {
            if (!random.SequenceEqual(entry.Random)) continue;
            entry.CameBack = true;
            return true;
        }

        return false;
    }

    /// <summary>One hello under way.</summary>
    internal sealed class Entry(LearnerHellos owner, byte[] random) : IDisposable
    {
        private volatile bool _cameBack;

        /// <summary>It arrived at a listener of ours.</summary>
        public bool CameBack
        {
            get => _cameBack;
            set => _cameBack = value;
        }

        public ReadOnlySpan<byte> Random => random;

        public void Dispose() => ImmutableInterlocked.Update(ref owner._entries, (entries, gone) => entries.Remove(gone), this);
    }
}

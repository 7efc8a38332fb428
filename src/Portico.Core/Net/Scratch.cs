using Portico.Protocol.FakeTls;

namespace Portico.Core.Net;

/// <summary>
/// One large area per loop that every session reads into and works in. Borrowed by one call chain, never across an await,
/// never twice at once (docs/adr/0005); checked builds assert it and poison what is given back.
/// </summary>
internal sealed class Scratch
{
    /// <summary>Eight TLS records of the usual length with their headers: one read fills what one write sends.</summary>
    public const int Length = Channel.MostPieces * (TlsRecordWriter.HeaderLength + TlsRecordWriter.UsualPayload);

    private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(Length, pinned: true);
    private bool _borrowed;

    /// <summary>Borrows the whole area until the returned value is disposed.</summary>
    public Loan Borrow()
    {
        if (LoopChecks.Enabled && _borrowed)
            throw new InvalidOperationException("scratch is borrowed already: nested use");
        _borrowed = true;
        return new Loan(this);
    }

    /// <summary>The area while it is borrowed.</summary>
    public readonly ref struct Loan(Scratch owner) : IDisposable
    {
        /// <summary>All <see cref="Length"/> bytes, content unspecified.</summary>
        public Span<byte> Bytes => owner._bytes;

        /// <summary>Gives the area back.</summary>
        public void Dispose()
        {
            if (LoopChecks.Enabled) owner._bytes.AsSpan().Fill(0xdb);
            owner._borrowed = false;
        }
    }
}

namespace Portico.Fuzz.Checking;

/// <summary>FNV-1a over everything a parser gave, so that two results can be compared in a word.</summary>
internal struct Digest()
{
    private ulong _state = 14695981039346656037;

    public readonly ulong Value => _state;

    public Digest Add(ReadOnlySpan<byte> bytes)
    {
        Add(bytes.Length);
        foreach (var one in bytes) Mix(one);
        return this;
    }

    /// <summary>Without the length in front: for streams that come in pieces.</summary>
    public void AddPiece(ReadOnlySpan<byte> bytes)
    {
        foreach (var one in bytes) Mix(one);
    }

    public Digest Add(long number)
    {
        for (var i = 0; i < sizeof(long); i++) Mix((byte)(number >> (8 * i)));
        return this;
    }

    public Digest Add(string text)
    {
        Add(text.Length);
        foreach (var one in text)
        {
            Mix((byte)one);
            Mix((byte)(one >> 8));
        }

        return this;
    }

    private void Mix(byte one) => _state = (_state ^ one) * 1099511628211;
}

namespace Portico.Fuzz.Targets.FakeTls;

/// <summary>Where searches for hellos begin.</summary>
internal static class HelloSeeds
{
    public static IEnumerable<byte[]> All => VectorFile.Bytes("fake_tls.json", "client_hello_cases", "input");

    /// <summary>Numbers that mean something in a hello, and what may follow one.</summary>
    public static IReadOnlyList<byte[]> Tokens { get; } =
    [
        [0x16, 3, 1], [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3], [0x14, 3, 3, 0, 1, 1], [0x15, 3, 3, 0, 2, 2, 0x32], [0x17, 3, 3, 0, 1, 0],
        [0x13, 1], [0x13, 2], [0x13, 3], [0, 0x33], [0, 0x2b], [0, 0, 0, 9, 0, 7, 0, 0, 4, .. "name"u8], [0, 0x1d, 0, 0x20], [0x11, 0xec],
    ];
}

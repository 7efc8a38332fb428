namespace Portico.Protocol.FakeTls;

/// <summary>
/// Where random bytes come from: <see cref="System.Security.Cryptography.RandomNumberGenerator.Fill"/>,
/// or something repeatable in tests.
/// </summary>
/// <param name="bytes">Overwritten whole.</param>
public delegate void RandomFill(Span<byte> bytes);

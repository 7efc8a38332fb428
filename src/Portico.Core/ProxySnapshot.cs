namespace Portico.Core;

/// <summary>What a proxy is doing, at one moment.</summary>
/// <param name="Sessions">Open connections of clients, handshakes included.</param>
/// <param name="Relaying">Of them, those that are connected to a data centre.</param>
/// <param name="ClientReceived">Bytes read from clients since the start.</param>
/// <param name="ClientSent">Bytes written to clients since the start.</param>
public readonly record struct ProxySnapshot(int Sessions, long Relaying, long ClientReceived, long ClientSent);

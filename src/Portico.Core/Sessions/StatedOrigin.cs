using System.Net;

namespace Portico.Core.Sessions;

/// <summary>What a balancer in front of this proxy says of the connection that it passes on.</summary>
/// <param name="Source">The client.</param>
/// <param name="Destination">Where the client connected to.</param>
internal sealed record StatedOrigin(IPEndPoint Source, IPEndPoint Destination);

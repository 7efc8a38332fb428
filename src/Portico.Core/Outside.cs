using System.Net;
using Portico.Core.Users;

namespace Portico.Core;

/// <summary>How the world is reached; what is null is the real thing or, for the clock, nothing at all.</summary>
/// <param name="Time">The clock for downloads; null = nothing is downloaded, and only the embedded middle proxies are known.</param>
/// <param name="Http">Fetches documents; null = from the network.</param>
/// <param name="Resolve">The addresses of a cover's name; null = of the system's resolver.</param>
/// <param name="Users">Where managed users and usage are kept; null = nowhere.</param>
internal readonly record struct Outside(
    TimeProvider? Time, HttpMessageHandler? Http = null, Func<string, Task<IPAddress[]>>? Resolve = null, IUserStore? Users = null);

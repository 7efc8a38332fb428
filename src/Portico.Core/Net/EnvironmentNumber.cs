using System.Globalization;

namespace Portico.Core.Net;

/// <summary>Numbers that a service manager puts into the environment.</summary>
internal static class EnvironmentNumber
{
    /// <summary>What a variable says; null = it is not there, or no number.</summary>
    public static long? Of(string variable) =>
        long.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number : null;
}

using System.Globalization;
using Portico.Core.Net;

namespace Portico.Core.Sessions;

/// <summary>
/// What operators call a session: the loop and the place of its client's channel there. The same as long as it lives, and never again
/// given to another before two thousand million others were at that place.
/// </summary>
/// <param name="Loop">Index of the loop.</param>
/// <param name="Token">Of the channel (<see cref="SlotTable.Token"/>).</param>
internal readonly record struct SessionId(int Loop, ulong Token)
{
    private const char Separator = '-';

    /// <summary>Of an open client. On its loop.</summary>
    public static SessionId Of(Channel client) => new(client.Loop.Index, client.Loop.Slots.Token(client.Slot));

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    public static bool TryParse(string text, out SessionId id)
    {
        id = default;
        var parts = text.Split(Separator);
        if (parts.Length != 3 || !TryRead(parts[0], out var loop) || !TryRead(parts[1], out var slot) || !TryRead(parts[2], out var age))
            return false;
        if (loop > int.MaxValue) return false;
        id = new((int)loop, ((ulong)age << 32) | slot);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Loop:x}{Separator}{(uint)Token:x}{Separator}{(uint)(Token >> 32):x}");

    private static bool TryRead(string text, out uint number) =>
        uint.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number);
}

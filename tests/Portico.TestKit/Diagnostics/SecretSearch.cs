using System.Text;

namespace Portico.TestKit.Diagnostics;

/// <summary>Looks for a secret in bytes that should not hold it, in every form in which it could have got there.</summary>
public static class SecretSearch
{
    // Long enough that an accident is out of the question, short enough that half a secret is found.
    private const int PartLength = 12;

    /// <summary>The forms in which <paramref name="bytes"/> hold the secret; empty is good.</summary>
    public static IReadOnlyList<string> Find(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> secret)
    {
        var found = new List<string>();
        if (bytes.IndexOf(secret) >= 0)
            found.Add("raw bytes");
        // One character per byte, so that positions and cases of ASCII survive whatever the bytes are.
        var text = Encoding.Latin1.GetString(bytes);
        found.AddRange(Find(text, secret));
        if (text.Contains('\0', StringComparison.Ordinal))
            found.AddRange(Find(text.Replace("\0", "", StringComparison.Ordinal), secret).Select(form => $"{form}, UTF-16"));
        return found;
    }

    /// <summary>As the other one, for text.</summary>
    public static IReadOnlyList<string> Find(string text, ReadOnlySpan<byte> secret)
    {
        var found = new List<string>();
        var hex = Convert.ToHexStringLower(secret);
        for (var at = 0; at + PartLength <= hex.Length; at++)
        {
            if (!text.Contains(hex.AsSpan(at, PartLength), StringComparison.OrdinalIgnoreCase))
                continue;
            found.Add("hexadecimal");
            break;
        }
        // Base64 depends on how many bytes stand before: the three cases are cut to what the secret alone decides.
        for (var before = 0; before < 3; before++)
        {
            var base64 = Convert.ToBase64String([.. new byte[before], .. secret]);
            var first = (before * 8 + 5) / 6;
            var sure = base64[first..((before + secret.Length) * 8 / 6)];
            if (text.Contains(sure, StringComparison.Ordinal))
                found.Add("base64");
            else if (text.Contains(sure.Replace('+', '-').Replace('/', '_'), StringComparison.Ordinal))
                found.Add("base64url");
        }
        return found;
    }
}

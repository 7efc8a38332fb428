using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using Portico.Protocol.FakeTls;

namespace Portico.Protocol.WebProxy;

/// <summary>
/// The places of a text where a capability or a token could stand: maximal runs of exactly 43 digits of base64url, after one pass of
/// percent-decoding (RFC 3986, section 2.1). Runs of other lengths are not looked into, which bounds what a long text costs.
/// </summary>
/// <param name="text">A target, or the name or the value of a header.</param>
internal ref struct CredentialRuns(ReadOnlySpan<char> text)
{
    private const int EscapeLength = 3;

    private readonly ReadOnlySpan<char> _text = text;
    private RunCharacters _run;
    private int _at;

    /// <summary>Where the run begins in the text.</summary>
    public int Start { get; private set; }

    /// <summary>Where it ends; more than 43 behind <see cref="Start"/> if it has escapes.</summary>
    public int End { get; private set; }

    /// <summary>The run, decoded: 43 characters, valid until the next step.</summary>
    [UnscopedRef]
    public ReadOnlySpan<char> Current => _run;

    /// <summary>Goes to the next run.</summary>
    public bool MoveNext()
    {
        var length = 0;
        Start = _at;
        while (_at < _text.Length)
        {
            var one = Decode(_text[_at..], out var width);
            if (CredentialText.IsDigit(one))
            {
                if (length < CredentialText.Length)
                    _run[length] = one;
                length++;
                _at += width;
                continue;
            }

            End = _at;
            _at += width;
            if (length == CredentialText.Length)
                return true;
            (length, Start) = (0, _at);
        }

        End = _at;
        return length == CredentialText.Length;
    }

    /// <summary>Puts a random digit in place of each one of a run. An escape stays one, so that the text keeps its length.</summary>
    public static void Replace(Span<char> run, RandomFill random)
    {
        Span<byte> numbers = stackalloc byte[CredentialText.Length];
        random(numbers);
        for (var (at, index) = (0, 0); at < run.Length; index++)
        {
            var digit = CredentialText.DigitOf(numbers[index]);
            Decode(run[at..], out var width);
            if (width == 1)
                run[at] = digit;
            else
                ((byte)digit).TryFormat(run.Slice(at + 1, width - 1), out _, "X2", CultureInfo.InvariantCulture);
            at += width;
        }
    }

    // What stands at the beginning of a text, and how many characters it takes. A percent sign that encodes nothing is itself.
    private static char Decode(ReadOnlySpan<char> text, out int width)
    {
        width = 1;
        if (text[0] != '%' || text.Length < EscapeLength || !char.IsAsciiHexDigit(text[1]) || !char.IsAsciiHexDigit(text[2]))
            return text[0];
        width = EscapeLength;
        return (char)byte.Parse(text[1..EscapeLength], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }

    [InlineArray(CredentialText.Length)]
    private struct RunCharacters
    {
        private char _first;
    }
}

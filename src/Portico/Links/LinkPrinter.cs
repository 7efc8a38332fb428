using Portico.Hosting;

namespace Portico.Links;

/// <summary>Which links get a QR code.</summary>
internal enum QrPlace
{
    /// <summary>None.</summary>
    None,

    /// <summary>The first of each listener: two screens full of codes help nobody.</summary>
    FirstOfListener,

    /// <summary>Every link.</summary>
    EveryLink,
}

/// <summary>Prints links one a line, so that scripts can cut them out; a heading only where there is something to tell apart.</summary>
internal static class LinkPrinter
{
    /// <summary>Says how many there are, without the secrets that they hold.</summary>
    public static void PrintCounts(TextWriter output, IReadOnlyList<ShareLink> links)
    {
        foreach (var listener in links.GroupBy(link => (link.Listener, link.Port)))
        {
            var count = listener.Count();
            output.WriteLine($"# {listener.Key.Listener}: {count} {(count == 1 ? "link" : "links")} "
                + $"to port {listener.Key.Port}; `portico link` prints them");
        }
    }

    /// <summary>Prints them.</summary>
    public static void Print(TextWriter output, IReadOnlyList<ShareLink> links, QrPlace place, Terminal terminal)
    {
        string? listener = null;
        foreach (var link in links)
        {
            if (links.Count > 1) output.WriteLine($"# {link}");
            output.WriteLine(link.Tg);
            output.WriteLine(link.TMe);
            if (place == QrPlace.EveryLink || (place == QrPlace.FirstOfListener && link.Listener != listener))
                output.Write(QrText.Draw(link.Tg, terminal));
            listener = link.Listener;
        }
    }
}

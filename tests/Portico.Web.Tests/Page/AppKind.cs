namespace Portico.Web.Tests.Page;

/// <summary>The apps, by how they talk with the page.</summary>
public enum AppKind
{
    /// <summary>Telegram Desktop as it was first: text both ways, a frame a message.</summary>
    EarlyDesktop,

    /// <summary>Telegram Desktop: text both ways, several frames a message.</summary>
    Desktop,

    /// <summary>iOS: as Desktop, and control messages of the page are short.</summary>
    Ios,

    /// <summary>Android whose WebView passes bytes: a frame a message.</summary>
    Android,

    /// <summary>Android whose WebView passes text only: it wraps what the page calls after the page's first message.</summary>
    AndroidOfText,

    /// <summary>Desktop without a WebView: the page is in a frame of a page of the app's, in an ordinary browser.</summary>
    Browser,
}

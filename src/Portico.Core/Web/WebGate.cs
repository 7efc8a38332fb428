using System.Collections.Immutable;
using Portico.Core.Options;
using Portico.Protocol.WebProxy;

namespace Portico.Core.Web;

/// <summary>All that the HTTP side of one listener needs under the settings in force.</summary>
internal sealed class WebGate
{
    /// <summary>Name of the listener.</summary>
    public required string Listener { get; init; }

    /// <summary>Of its WEB proxy.</summary>
    public required WebSettings Settings { get; init; }

    /// <summary>Which requests are ours.</summary>
    public required WebRouter Router { get; init; }

    /// <summary>Whose capabilities there are: by the index that the router gives.</summary>
    public required ImmutableArray<WebUser> Users { get; init; }

    /// <summary>Its sessions. They stay while settings change.</summary>
    public required WebSessions Sessions { get; init; }
}

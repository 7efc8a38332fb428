using Portico.Core.Options;
using Portico.Protocol.WebProxy;

namespace Portico.Web.Carriers;

/// <summary>Which carrier an app without our page is told to use.</summary>
internal static class CarrierMode
{
    /// <summary>The one that all of them know, if it is offered.</summary>
    public static WebCarrier Of(WebSettings settings) =>
        settings.Carriers.Contains(WebCarrier.Https) ? WebCarrier.Https : settings.Carriers[0];
}

using System.Net;
using Portico.Protocol.WebProxy;
using Xunit;

namespace Portico.Web.Tests.Staging;

/// <summary>How an app may reach a host.</summary>
public enum Way
{
    Plain,
    Tls,
    Http2,
}

/// <summary>All ways, and all carriers on each.</summary>
internal static class Ways
{
    public static TheoryData<Way> All => [.. Enum.GetValues<Way>()];

    public static TheoryData<WebCarrier, Way> Carriers
    {
        get
        {
            var data = new TheoryData<WebCarrier, Way>();
            foreach (var carrier in Enum.GetValues<WebCarrier>())
            {
                foreach (var way in Enum.GetValues<Way>()) data.Add(carrier, way);
            }

            return data;
        }
    }

    public static bool IsTls(this Way way) => way != Way.Plain;

    public static Version Version(this Way way) => way == Way.Http2 ? HttpVersion.Version20 : HttpVersion.Version11;
}

using System.Collections.Immutable;
using System.Reflection;
using Microsoft.Extensions.Logging;
using Portico.Admin;
using Portico.Admin.Metrics;
using Portico.Configuration;
using Portico.Core;
using Portico.Core.Control;
using Portico.Core.Options;
using Portico.Doctor;
using Portico.Doctor.Checks;
using Portico.Life;
using Portico.Links;
using Portico.Reload;

namespace Portico.Hosting;

/// <summary>The HTTP interface of <c>portico run</c>. Whatever becomes of it, the proxy runs on.</summary>
internal static partial class Administration
{
    /// <summary>Of this program.</summary>
    public static string Version { get; } =
        typeof(Administration).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>Opens what the settings ask for.</summary>
    /// <param name="proxy">What runs.</param>
    /// <param name="options">What it goes by, as it was written.</param>
    /// <param name="reload">Reads the configuration again; null = there is no file.</param>
    /// <param name="upgrade">Starts a successor.</param>
    /// <param name="file">Where it is.</param>
    /// <param name="metrics">What was counted since the start; null = nobody asks.</param>
    /// <param name="services">Logging.</param>
    /// <returns>Null if it asks for nothing, or nothing could be opened.</returns>
    public static async Task<AdminServer?> StartAsync(
        PorticoProxy proxy, Func<ProxyOptions> options, ConfigurationReload? reload, Upgrade upgrade, ConfigurationFile file,
        MetricsExport? metrics, HostServices services)
    {
        var host = new AdminHost
        {
            Control = proxy.Control,
            Version = Version,
            Loggers = services.Loggers,
            Configuration = () => RedactedConfiguration.ToJson(options()),
            Reload = reload is null ? null : cause => ReloadAsync(reload, cause),
            Upgrade = cause => UpgradeAsync(upgrade, cause),
            Doctor = stop => DoctorCommand.ExamineAsync(
                proxy.Settings, new ConfigurationCheck(file.Path, WarningsOf(options(), file), file.Warning()), stop),
            Links = name => LinksOf(proxy, name),
            LogLevel = services.Levels.Set,
        };
        try
        {
            return await AdminServer.StartAsync(host, metrics, TimeProvider.System);
        }
        catch (Exception problem)
        {
            Log.Failed(services.Loggers.CreateLogger(typeof(Administration)), problem);
            return null;
        }
    }

    private static ImmutableArray<UserLink> LinksOf(PorticoProxy proxy, string user)
    {
        var (settings, endpoints) = (proxy.Settings, proxy.Endpoints);
        return
        [
            .. settings.Listeners.Zip(endpoints)
                .SelectMany(pair => ShareLink.Of(pair.First, pair.Second.Port, settings.PerSni, user))
                .Select(link => new UserLink(link.Listener, link.Protocol, link.Tg, link.TMe)),
        ];
    }

    private static ImmutableArray<ConfigurationError> WarningsOf(ProxyOptions running, ConfigurationFile file) =>
        ProxyOptionsParser.Parse(running, file.Directory).Warnings;

    private static async Task<ReloadOutcome> ReloadAsync(ConfigurationReload reload, string cause) =>
        (await reload.RunAsync(cause)).ToOutcome();

    private static async Task<UpgradeOutcome> UpgradeAsync(Upgrade upgrade, string cause)
    {
        try
        {
            return new UpgradeOutcome(await upgrade.RunAsync(cause), Problem: null);
        }
        catch (HandOverException problem)
        {
            return new UpgradeOutcome(Process: null, problem.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 9401, EventName = "AdministrationFailed", Level = LogLevel.Error,
            Message = "The administration could not start, and the proxy runs without; please report it")]
        public static partial void Failed(ILogger logger, Exception error);
    }
}

using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Portico.Core.Options;
using Portico.Core.Users;

namespace Portico.Core;

/// <summary>Managed users beside those of the configuration file.</summary>
public sealed partial class PorticoProxy
{
    private const int MostNamed = 10;

    private ImmutableArray<Credential> _managed = [];
    private ProxySettings _file;

    // Before anybody can come in.
    private void RestoreUsers()
    {
        var errors = new List<ConfigurationError>();
        _managed = Control.ManagedUsers.Restore(errors);
        if (errors.Count > 0)
        {
            var named = string.Join("; ", errors.Take(MostNamed));
            Log.UsersSetAside(_log, errors.Count, named);
        }

        if (_managed.IsEmpty) return;
        var settings = WithManaged(_file, _managed);
        _services.Adopt(_services.Build(settings, _services.Current));
    }

    private async Task<bool> PutUsersAsync(ImmutableArray<Credential> users)
    {
        if (!await EnterReloadAsync().ConfigureAwait(false)) return false;
        try
        {
            await PutInForceAsync(WithManaged(_file, users)).ConfigureAwait(false);
            _managed = users;
            return true;
        }
        finally
        {
            _reloading.Release();
        }
    }

    // Each name and secret that is in both, with both places.
    private ImmutableArray<ConfigurationError> Conflicts(ProxySettings settings)
    {
        var names = _managed.ToDictionary(user => user.Name, StringComparer.Ordinal);
        var secrets = _managed.SelectMany(user => user.AllWith(null)).ToDictionary(it => it.Secret);
        var errors = ImmutableArray.CreateBuilder<ConfigurationError>();
        foreach (var (user, place) in UsersOf(settings))
        {
            const string Cure = "remove one of them, for example with `portico user remove`";
            if (names.ContainsKey(user.Name) && user.Until is null)
                errors.Add(new(place, $"\"{user.Name}\" is the name of a managed user too; {Cure}"));
            else if (secrets.TryGetValue(user.Secret, out var other))
                errors.Add(new(place, $"has the secret of the managed user \"{other.Name}\"; {Cure}"));
        }

        return errors.ToImmutable();
    }

    private IEnumerable<(Credential User, string Place)> UsersInFile() => UsersOf(_file);

    private static IEnumerable<(Credential User, string Place)> UsersOf(ProxySettings settings) =>
        settings.Listeners.SelectMany(listener => listener.Credentials.Select(user =>
            (user, $"the user {user.Name} of the listener {listener.Name} in the configuration file")));

    private static ProxySettings WithManaged(ProxySettings settings, ImmutableArray<Credential> users) =>
        users.IsEmpty
            ? settings
            : settings with
            {
                Listeners =
                [
                    .. settings.Listeners.Select(listener => listener with
                    {
                        Credentials = [.. listener.Credentials, .. users.SelectMany(user => user.AllWith(listener.AdTag))],
                    }),
                ],
            };

    private static partial class Log
    {
        [LoggerMessage(EventId = 2402, EventName = "UsersSetAside", Level = LogLevel.Error,
            Message = "Managed users are left out until that is put right, with {Count} errors: {Problems}")]
        public static partial void UsersSetAside(ILogger logger, int count, string problems);
    }
}

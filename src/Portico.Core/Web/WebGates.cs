using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Portico.Core.Options;
using Portico.Core.Users;
using Portico.Protocol.Secrets;
using Portico.Protocol.WebProxy;

namespace Portico.Core.Web;

/// <summary>Makes what the HTTP side needs of settings.</summary>
/// <param name="tokens">Signs and knows tokens.</param>
internal sealed class WebGates(WebTokenKey tokens)
{
    private readonly byte[] _lookUpKey = RandomNumberGenerator.GetBytes(CapabilityTable.KeyLength);

    /// <summary>Signs and knows tokens.</summary>
    public WebTokenKey Tokens => tokens;

    /// <summary>Makes the gate of one listener.</summary>
    /// <param name="name">Of the listener.</param>
    /// <param name="settings">Checked: no two of its links have one capability.</param>
    /// <param name="credentials">Of the listener.</param>
    /// <param name="sessions">Of the listener.</param>
    public WebGate Create(string name, WebSettings settings, ImmutableArray<Credential> credentials, WebSessions sessions)
    {
        var entries = WebOptionsParser.EntriesOf(settings, credentials);
        if (!CapabilityTable.TryCreate(
            settings.Address, entries.Select(entry => entry.Link).ToList(), _lookUpKey, out var capabilities, out _))
            throw new ArgumentException("two links have one capability", nameof(credentials));
        var host = Encoding.ASCII.GetBytes(settings.Address.Host);
        var rates = sessions.Bounds.RatesOf(credentials.Select(credential => credential.Secret));
        return new WebGate
        {
            Listener = name,
            Settings = settings,
            Router = new WebRouter(settings.Address, capabilities, tokens),
            Users =
            [
                .. entries.Select(entry => new WebUser(
                    entry.Credential, entry.Link.Kind == SecretKind.Secure, host, rates[entry.Credential.Secret])),
            ],
            Sessions = sessions,
        };
    }
}

using System.Collections.Immutable;
using Portico.Core.Users;

namespace Portico.Core.Options;

/// <summary>Reads managed users one after the other, each held against those there are and those that were read before it.</summary>
/// <param name="others">Users there are, with the place where each stands.</param>
/// <param name="recordOf">What is counted of a user, by name.</param>
/// <param name="now">Our clock.</param>
internal sealed class ManagedUserReader(
    IEnumerable<(Credential User, string Place)> others, Func<string, UserRecord> recordOf, DateTimeOffset now)
{
    private readonly List<ConfigurationError> _errors = [];
    private readonly ImmutableArray<Credential>.Builder _read = ImmutableArray.CreateBuilder<Credential>(2);
    private UserOptionsParser? _parser;

    /// <summary>Reads one.</summary>
    /// <param name="options">As it was written.</param>
    /// <param name="path">Of the user, for errors.</param>
    /// <param name="errors">What is wrong is added here.</param>
    /// <returns>Null if anything is.</returns>
    public Credential? Read(UserOptions? options, string path, List<ConfigurationError> errors)
    {
        if (options is null)
        {
            errors.Add(new(path, "must be a user in braces; for example { \"name\": \"alice\" }"));
            return null;
        }

        _read.Clear();
        _errors.Clear();
        OptionRules.Check(ManagedUserParser.TypeInfo, options, path, _errors);
        Parser.Read(options, path, tag: null, _read);
        errors.AddRange(_errors);
        if (_errors.Count > 0) return null;
        var record = recordOf(_read[0].Name);
        return _read[0] with { Shared = record, Former = _read.Count > 1 ? _read[1] with { Shared = record } : null };
    }

    private UserOptionsParser Parser
    {
        get
        {
            if (_parser is not null) return _parser;
            _parser = new UserOptionsParser(_errors, [], now);
            foreach (var (user, place) in others) _parser.Reserve(user, place);
            return _parser;
        }
    }
}

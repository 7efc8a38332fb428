using System.Buffers.Binary;
using System.Collections;
using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.CompilerServices;
using Portico.Configuration;
using Portico.Core;
using Portico.Core.Options;
using Portico.Core.Users;
using Portico.Core.Web;
using Portico.Links;
using Portico.Protocol.MiddleProxy;
using Portico.Protocol.Secrets;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Diagnostics;
using Portico.Web;
using Xunit;

namespace Portico.IntegrationTests.Hostile;

/// <summary>
/// Whatever holds a secret or key prints without it: a log line,
/// an exception or a debugger that prints an object prints its ToString.
/// </summary>
public sealed class RedactedTypesTests
{
    // How far a secret may be down in fields: settings, listener, list, credential, secret.
    private const int MostDepth = 6;

    private static readonly byte[] Key = Convert.FromHexString("a1b2c3d4e5f60718293a4b5c6d7e8f90");

    // The same where bytes are kept as a number, which prints itself in decimal.
    private static readonly UInt128 Number = BinaryPrimitives.ReadUInt128BigEndian(Key);

    // Strings that hold a secret without being called so.
    private static readonly ImmutableHashSet<(Type, string)> SecretTexts =
    [
        (typeof(Override), nameof(Override.Text)), (typeof(ShareLink), nameof(ShareLink.Tg)), (typeof(ShareLink), nameof(ShareLink.TMe)),
        (typeof(WebCreation), nameof(WebCreation.Token)), (typeof(AlertOptions), nameof(AlertOptions.Webhook)),
        (typeof(WebRequestHead), nameof(WebRequestHead.Target)),
    ];

    [Fact]
    public void No_type_prints_a_secret_that_it_holds()
    {
        var seen = new List<Type>();
        Assembly[] ours =
            [typeof(ProxySecret).Assembly, typeof(PorticoProxy).Assembly, typeof(WebHosts).Assembly, typeof(Override).Assembly];
        foreach (var type in ours.SelectMany(assembly => assembly.GetTypes()))
        {
            if (Fill(type, MostDepth) is not { } filled || !filled.HoldsSecret)
                continue;
            seen.Add(type);
            var text = $"{filled.Value} {string.Join(' ', filled.Value as IEnumerable ?? Array.Empty<object>())}";
            Assert.True(SecretSearch.Find(text, Key).Count == 0, $"{type} prints {text}");
            Assert.False(text.Contains($"{Number}", StringComparison.Ordinal), $"{type} prints {text}");
        }
        // the search itself must have found those that everybody knows of
        Assert.Superset(
            new HashSet<Type>
            {
                typeof(ProxySecret),
                typeof(ParsedSecret),
                typeof(Credential),
                typeof(ListenerSettings),
                typeof(ProxySettings),
                typeof(ListenerOptions),
                typeof(ProxyOptions),
                typeof(UserOptions),
                typeof(Override),
                typeof(NewConfiguration),
                typeof(LoadedConfiguration),
                typeof(ShareLink),
                typeof(WebCreation),
                typeof(WebTokenKey),
                typeof(WebToken),
                typeof(WebRequestHead),
                typeof(AlertOptions),
                typeof(WebhookAddress),
                typeof(AlertSettings),
            },
            seen.ToHashSet());
    }

    /// <summary>
    /// An object of the type, made without its constructor, with the secret
    /// in every field that could hold one. Null for what cannot be an object.
    /// </summary>
    private static (object Value, bool HoldsSecret)? Fill(Type type, int depth)
    {
        if (type == typeof(byte[]))
            return (Key.ToArray(), true);
        if (type == typeof(UInt128))
            return (Number, true);
        if (type == typeof(string[]))
            return (new[] { "text" }, false);
        if (type == typeof(ImmutableArray<byte>))
            return (ImmutableArray.Create(Key), true);
        if (type == typeof(ReadOnlyMemory<byte>) || type == typeof(Memory<byte>))
            return type == typeof(Memory<byte>) ? (new Memory<byte>(Key), true) : (new ReadOnlyMemory<byte>(Key), true);
        // no secret: Telegram shows the channel that it stands for to every client
        if (type == typeof(AdTag))
            return null;
        if (type == typeof(ProxySecret))
            return (ProxySecret.Create(Key), true);
        if (depth == 0 || type.IsAbstract || type.IsInterface || type.IsByRefLike || type.IsPointer
            || type.ContainsGenericParameters || type.IsEnum || type.IsPrimitive || typeof(Delegate).IsAssignableFrom(type))
            return null;
        if (type.IsArray || IsImmutableArray(type))
            return FillList(type, depth);
        // the framework's types hold none of ours, except the lists above
        if (type.Namespace?.StartsWith("Portico", StringComparison.Ordinal) != true
            || type.GetCustomAttribute<CompilerGeneratedAttribute>() is not null)
            return null;
        var value = RuntimeHelpers.GetUninitializedObject(type);
        var holds = false;
        foreach (var field in FieldsOf(type))
        {
            if (field.FieldType == typeof(string))
            {
                var isSecret = field.Name.Contains("Secret", StringComparison.OrdinalIgnoreCase)
                    || SecretTexts.Contains((type, NameOf(field)));
                field.SetValue(value, isSecret ? Convert.ToHexString(Key) : "text");
                holds |= isSecret;
            }
            else if (Fill(field.FieldType, depth - 1) is { } inner)
            {
                field.SetValue(value, inner.Value);
                holds |= inner.HoldsSecret;
            }
        }
        return (value, holds);
    }

    private static (object Value, bool HoldsSecret)? FillList(Type type, int depth)
    {
        var element = type.IsArray ? type.GetElementType()! : type.GetGenericArguments()[0];
        if (Fill(element, depth - 1) is not { } inner)
            return null;
        var array = Array.CreateInstance(element, 1);
        array.SetValue(inner.Value, 0);
        if (type.IsArray)
            return (array, inner.HoldsSecret);
        var create = typeof(ImmutableArray).GetMethods()
            .Single(method => method.Name == nameof(ImmutableArray.Create) && method.GetParameters() is [{ ParameterType.IsArray: true }]);
        return (create.MakeGenericMethod(element).Invoke(null, [array])!, inner.HoldsSecret);
    }

    private static bool IsImmutableArray(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ImmutableArray<>);

    private static IEnumerable<FieldInfo> FieldsOf(Type type) =>
        type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            .Where(field => !field.FieldType.IsByRefLike && !field.FieldType.IsPointer);

    // <Text>k__BackingField is the property Text.
    private static string NameOf(FieldInfo field) =>
        field.Name is ['<', ..] ? field.Name[1..field.Name.IndexOf('>', StringComparison.Ordinal)] : field.Name;
}

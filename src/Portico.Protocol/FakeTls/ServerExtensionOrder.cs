namespace Portico.Protocol.FakeTls;

/// <summary>Order of the two extensions in a ServerHello: servers differ, clients do not care, observers might.</summary>
public enum ServerExtensionOrder : byte
{
    /// <summary>key_share, then supported_versions: BoringSSL.</summary>
    KeyShareFirst,

    /// <summary>supported_versions, then key_share: OpenSSL.</summary>
    SupportedVersionsFirst,
}

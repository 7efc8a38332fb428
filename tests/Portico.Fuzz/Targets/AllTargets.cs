using Portico.Fuzz.Checking;
using Portico.Fuzz.Searching;
using Portico.Fuzz.Targets.Configuration;
using Portico.Fuzz.Targets.Crypto;
using Portico.Fuzz.Targets.FakeTls;
using Portico.Fuzz.Targets.Framing;
using Portico.Fuzz.Targets.Handshake;
using Portico.Fuzz.Targets.MiddleProxy;
using Portico.Fuzz.Targets.Moving;
using Portico.Fuzz.Targets.Mtproto;
using Portico.Fuzz.Targets.Obfuscation;
using Portico.Fuzz.Targets.ProxyProtocol;
using Portico.Fuzz.Targets.Secrets;
using Portico.Fuzz.Targets.TelegramConfig;
using Portico.Fuzz.Targets.WebProxy;
using Portico.Fuzz.Targets.WebSockets;
using Portico.Protocol.Framing;
using Xunit;

namespace Portico.Fuzz.Targets;

/// <summary>Every parser that reads what strangers or users write. A new parser is a new line here.</summary>
internal static class AllTargets
{
    private static readonly Func<Target>[] Makers =
    [
        () => new ClientHelloTarget(),
        () => new UsableSniTarget(),
        () => new HelloExaminationTarget(),
        () => new ServerFlightTarget(),
        () => new ServerFlightMeterTarget(),
        () => new TlsRecordTarget(),
        () => new ObfuscatedHeaderTarget(),
        () => new FrameTarget<AbridgedCodec>(fromServer: false),
        () => new FrameTarget<AbridgedCodec>(fromServer: true),
        () => new FrameTarget<IntermediateCodec>(fromServer: false),
        () => new FrameTarget<IntermediateCodec>(fromServer: true),
        () => new FrameTarget<PaddedIntermediateCodec>(fromServer: false),
        () => new FrameTarget<PaddedIntermediateCodec>(fromServer: true),
        () => new QuickAckTarget(),
        () => new FullFrameTarget(),
        () => new RpcPacketTarget(),
        () => new RpcNonceTarget(),
        () => new RpcHandshakeTarget(),
        () => new PqMessageTarget(),
        () => new ProxyHeaderTarget(),
        () => new ProxyConfigTarget(),
        () => new SecretTextTarget(),
        () => new ProxyLinkTarget(),
        () => new WebLinkTarget(),
        () => new WebHeaderTarget(),
        () => new WebRouteTarget(),
        () => new WebFrameHeaderTarget(),
        () => new WebBatchTarget(),
        () => new WebSessionTarget(),
        () => new WebAppTarget(),
        () => new WebSocketTarget(),
        () => new ConfigurationTarget(),
        () => new OverrideTarget(),
        () => new ImportTarget("erlang"),
        () => new ImportTarget("mtproxy"),
        () => new ImportTarget("mtprotoproxy"),
        () => new ImportTarget("mtg"),
        () => new ImportTarget("telemt"),
        () => new ArchiveTarget(),
        () => new JudgeTarget(),
        () => new AesCtrTarget(),
        () => new AesCbcTarget(),
        () => new Crc32Target(),
    ];

    public static int Count => Makers.Length;

    /// <summary>The targets of this run, for <c>[MemberData]</c>.</summary>
    public static TheoryData<string> Names => [.. Makers.Select(make => make().Name).Where(name => (Variables.OnlyTarget ?? name) == name)];

    /// <summary>A target of its own for each caller: targets keep memory.</summary>
    public static Target Named(string name) => Makers.Select(make => make()).Single(target => target.Name == name);
}

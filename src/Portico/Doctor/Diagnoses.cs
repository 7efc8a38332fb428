namespace Portico.Doctor;

/// <summary>Everything that `portico doctor` can find, in the order of the checks. docs/doctor.md has a row for each.</summary>
internal static class Diagnoses
{
    private static readonly List<Diagnosis> Listed = [];

    public static readonly Diagnosis
        CheckSlow = Warn("check-slow"),
        CheckBroken = Warn("check-broken"),
        Offline = Skip("offline"),

        ConfigurationRight = Ok("configuration-right"),
        ConfigurationUnwise = Warn("configuration-unwise"),
        ConfigurationReadable = Warn("configuration-readable"),

        ClockRight = Ok("clock-right"),
        ClockOff = Warn("clock-off"),
        ClockBehind = Fail("clock-behind"),
        ClockAhead = Fail("clock-ahead"),
        ClockUnknown = Warn("clock-unknown"),

        PortFree = Ok("port-free"),
        PortOurs = Ok("port-ours"),
        PortTaken = Fail("port-taken"),
        PortForbidden = Fail("port-forbidden"),
        PortNoAddress = Fail("port-no-address"),

        LinksPublic = Ok("links-public"),
        LinksFound = Warn("links-found"),
        LinksPrivate = Fail("links-private"),

        DnsHere = Ok("dns-here"),
        DnsNoName = Ok("dns-no-name"),
        DnsBalancer = Ok("dns-balancer"),
        DnsNoAddress = Fail("dns-no-address"),
        DnsElsewhere = Fail("dns-elsewhere"),
        DnsMixed = Warn("dns-mixed"),
        DnsUnserved = Warn("dns-unserved"),
        DnsBorrowed = Warn("dns-borrowed"),
        DnsUnknown = Warn("dns-unknown"),

        DcAnswers = Ok("dc-answers"),
        DcUnused = Ok("dc-unused"),
        DcNoFamily = Ok("dc-no-family"),
        DcFamilyDead = Warn("dc-family-dead"),
        DcOneFamily = Warn("dc-one-family"),
        DcRefused = Fail("dc-refused"),
        DcSilent = Fail("dc-silent"),
        DcUnreachable = Fail("dc-unreachable"),
        DcWrong = Fail("dc-wrong"),
        DcNone = Fail("dc-none"),

        MiddleAnswers = Ok("middle-answers"),
        MiddleUnused = Ok("middle-unused"),
        MiddleListOld = Warn("middle-list-old"),
        MiddleSomeDead = Warn("middle-some-dead"),
        MiddleRefused = Fail("middle-refused"),
        MiddleSilent = Fail("middle-silent"),
        MiddleNone = Fail("middle-none"),

        ExternalRight = Ok("external-right"),
        ExternalUnused = Ok("external-unused"),
        ExternalUnknown = Warn("external-unknown"),
        ExternalWrong = Fail("external-wrong"),

        AdTagReady = Ok("adtag-ready"),
        AdTagNone = Ok("adtag-none"),
        AdTagIdle = Fail("adtag-idle"),

        MediaThrough = Ok("media-through"),
        MediaDirect = Ok("media-direct"),

        CoverGood = Ok("cover-good"),
        CoverIsWebHost = Ok("cover-web-host"),
        CoverOff = Warn("cover-off"),
        CoverLoop = Fail("cover-loop"),
        CoverNoAddress = Fail("cover-no-address"),
        CoverPrivate = Fail("cover-private"),
        CoverDown = Fail("cover-down"),
        CoverSilent = Fail("cover-silent"),
        CoverCloses = Fail("cover-closes"),
        CoverRefusesName = Fail("cover-refuses-name"),
        CoverNoTls = Fail("cover-no-tls"),
        CoverOldTls = Fail("cover-old-tls"),
        CoverOtherGroup = Fail("cover-other-group"),
        CoverTooLarge = Warn("cover-too-large"),
        CoverPostQuantum = Warn("cover-post-quantum"),
        CoverOtherExtensions = Warn("cover-other-extensions"),

        CertificateGood = Ok("certificate-good"),
        CertificateUnused = Ok("certificate-unused"),
        CertificateUnseen = Skip("certificate-unseen"),
        CertificateUnknown = Skip("certificate-unknown"),
        CertificateUnreadable = Fail("certificate-unreadable"),
        CertificateBroken = Fail("certificate-broken"),
        CertificateKey = Fail("certificate-key"),
        CertificateEarly = Fail("certificate-early"),
        CertificateExpired = Fail("certificate-expired"),
        CertificateExpiring = Warn("certificate-expiring"),
        CertificateName = Fail("certificate-name"),
        CertificateIncomplete = Fail("certificate-incomplete"),
        CertificateUntrusted = Fail("certificate-untrusted"),

        SiteGood = Ok("site-good"),
        SiteUnused = Ok("site-unused"),
        SiteNone = Warn("site-none"),
        SiteEmpty = Warn("site-empty"),
        SiteUnreadable = Fail("site-unreadable"),
        SiteDown = Fail("site-down"),
        SiteLoops = Fail("site-loops"),
        SiteServiceWorker = Warn("site-service-worker"),

        DoorGood = Ok("door-good"),
        DoorUnused = Ok("door-unused"),
        DoorUnseen = Skip("door-unseen"),
        DoorOpen = Warn("door-open"),
        DoorClosed = Warn("door-closed"),
        DoorBroken = Fail("door-broken"),
        DoorOther = Fail("door-other"),
        DoorForwarded = Fail("door-forwarded"),
        DoorUntrusted = Warn("door-untrusted"),
        DoorClaims = Warn("door-claims"),
        DoorAppends = Warn("door-appends"),
        DoorNoSocket = Warn("door-no-socket"),
        DoorCollects = Warn("door-collects"),
        DoorBuffers = Warn("door-buffers"),
        DoorCuts = Warn("door-cuts"),

        ProxyHeaderUnused = Ok("proxy-header-unused"),
        ProxyHeaderUnseen = Ok("proxy-header-unseen"),
        ProxyHeaderComes = Ok("proxy-header-comes"),
        ProxyHeaderNone = Fail("proxy-header-none"),
        ProxyHeaderWanted = Warn("proxy-header-wanted"),

        DataReady = Ok("data-ready"),
        DataInUse = Ok("data-in-use"),
        DataUnwritable = Fail("data-unwritable"),
        DataVersion = Fail("data-version"),
        DataFull = Warn("data-full"),

        DescriptorsEnough = Ok("descriptors-enough"),
        DescriptorsFew = Warn("descriptors-few"),
        DescriptorsTooFew = Fail("descriptors-too-few"),

        MemoryEnough = Ok("memory-enough"),
        MemoryUnknown = Skip("memory-unknown"),
        MemoryLittle = Warn("memory-little"),
        MemoryTooLittle = Fail("memory-too-little"),

        KernelReady = Ok("kernel-ready"),
        KernelUnknown = Skip("kernel-unknown"),
        KernelLow = Warn("kernel-low");

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Diagnosis> All => Listed;

    private static Diagnosis Ok(string name) => Add(name, Verdict.Ok);

    private static Diagnosis Skip(string name) => Add(name, Verdict.Skip);

    private static Diagnosis Warn(string name) => Add(name, Verdict.Warn);

    private static Diagnosis Fail(string name) => Add(name, Verdict.Fail);

    private static Diagnosis Add(string name, Verdict verdict)
    {
        var diagnosis = new Diagnosis(name, verdict);
        Listed.Add(diagnosis);
        return diagnosis;
    }
}

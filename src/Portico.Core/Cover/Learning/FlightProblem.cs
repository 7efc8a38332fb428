using System.Diagnostics;
using Portico.Protocol.FakeTls;

namespace Portico.Core.Cover.Learning;

/// <summary>Why a cover's flight could not be measured.</summary>
public enum FlightProblem
{
    /// <summary>It could.</summary>
    None,

    /// <summary>Its name leads nowhere.</summary>
    UnknownHost,

    /// <summary>It cannot be connected to.</summary>
    Unreachable,

    /// <summary>It did not answer, or not to the end, in the time allowed.</summary>
    Timeout,

    /// <summary>It closed the connection before its flight was complete.</summary>
    Closed,

    /// <summary>It is one of our own listeners.</summary>
    Loop,

    /// <summary>Mode sni: the name in our links leads to an address that is not public.</summary>
    NotPublic,

    /// <summary>It answers with an alert.</summary>
    Alert,

    /// <summary>It answers with something that is not TLS.</summary>
    NotTls,

    /// <summary>It speaks TLS, and no TLS 1.3.</summary>
    NotTls13,

    /// <summary>It wants a key share of a group that our flight never has.</summary>
    RetryRequest,

    /// <summary>Its answer breaks the rules of TLS 1.3, or goes on without an end.</summary>
    Nonsense,
}

/// <summary>Words for <see cref="FlightProblem"/>.</summary>
internal static class FlightProblems
{
    /// <summary>Goes on after the cover's name.</summary>
    /// <exception cref="UnreachableException">The value has no words: a programming error, caught by a test over all values.</exception>
    public static string Words(this FlightProblem problem) => problem switch
    {
        FlightProblem.None => "answered",
        FlightProblem.UnknownHost => "has no address",
        FlightProblem.Unreachable => "cannot be connected to",
        FlightProblem.Timeout => "did not answer in time",
        FlightProblem.Closed => "closed the connection instead of answering",
        FlightProblem.Loop => "is this proxy itself",
        FlightProblem.NotPublic => "is not public, so strangers are not shown it either",
        FlightProblem.Alert => "refuses a client's hello with an alert; it may not know the name that links show",
        FlightProblem.NotTls => "does not speak TLS",
        FlightProblem.NotTls13 => "does not speak TLS 1.3, which our flight pretends to: an observer can tell them apart",
        FlightProblem.RetryRequest => "does not take x25519, which our flight always answers with: an observer can tell them apart",
        FlightProblem.Nonsense => "does not answer as a TLS 1.3 server does",
        _ => throw new UnreachableException($"FlightProblem {(int)problem} has no words"),
    };

    /// <summary>What the meter says, as a problem of the cover.</summary>
    public static FlightProblem Of(ServerFlightEnd end) => end switch
    {
        ServerFlightEnd.None => FlightProblem.None,
        ServerFlightEnd.Alert => FlightProblem.Alert,
        ServerFlightEnd.NotTls => FlightProblem.NotTls,
        ServerFlightEnd.OtherVersion => FlightProblem.NotTls13,
        ServerFlightEnd.RetryRequest => FlightProblem.RetryRequest,
        ServerFlightEnd.BadRecord or ServerFlightEnd.BadHello or ServerFlightEnd.TooLong => FlightProblem.Nonsense,
        _ => throw new UnreachableException($"ServerFlightEnd {(int)end} is no problem"),
    };
}

using System.Globalization;
using System.Text;
using Portico.Core.Background;
using Portico.Core.Net;
using Portico.Core.Net.Epoll;

namespace Portico.Core;

/// <summary>A hand-over that did not come about. The message is for the operator; the old process serves on.</summary>
public sealed class HandOverException(string message) : Exception(message);

/// <summary>
/// Between a proxy and its successor: a pair of sockets that only these two have, of which the successor inherits one. What is said, in
/// this order: the successor, when all is ready that takes time, which data directory it will use (<c>ready</c>); the old one its
/// listening sockets and that the directory is free (<c>sockets</c>, <c>yours</c>); the successor that it could accept
/// (<c>serving</c>); the old one that it shall (<c>go</c>); the successor that it does (<c>accepting</c>). Then the old one asks whether a
/// client may enter whose hello came to it, and says when its administration is closed (<c>doors</c>). Linux only.
/// </summary>
public sealed unsafe class HandOverLink : IDisposable
{
    /// <summary>The environment variable in which a successor finds the number of its socket.</summary>
    public const string Variable = "PORTICO_HANDOVER";

    private const int Version = 1, MostText = 8192;

    // A successor that changed the files of the directory could not give them back.
    private static readonly string Ready =
        string.Create(CultureInfo.InvariantCulture, $"ready {Version}.{DataDirectoryVersion.Present}");

    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _doors = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _socket;
    private bool _isDisposed;
    private bool _isBroken;

    private HandOverLink(int socket) => _socket = socket;

    /// <summary>For the old process.</summary>
    /// <param name="inherited">
    /// The successor's socket, which every child of this process inherits: close it with <see cref="CloseInherited"/> when the successor
    /// has started. Its number is to be in <see cref="Variable"/>.
    /// </param>
    /// <exception cref="HandOverException">There are no descriptors left, or this is no Linux.</exception>
    public static HandOverLink Create(out int inherited)
    {
        var pair = stackalloc int[2];
        if (!OperatingSystem.IsLinux())
            throw new HandOverException("a proxy can be handed over on Linux only; restart it");
        if (Native.socketpair(Native.AF_UNIX, Native.SOCK_SEQPACKET | Native.SOCK_CLOEXEC, 0, pair) != 0)
            throw new HandOverException($"no sockets for a successor: error {Native.Errno}");
        inherited = pair[1];
        _ = Native.fcntl(inherited, Native.F_SETFD, 0);
        return new HandOverLink(pair[0]);
    }

    /// <summary>See <see cref="Create"/>.</summary>
    public static void CloseInherited(int inherited) => _ = Native.close(inherited);

    /// <summary>For the successor: the link of <see cref="Variable"/>, which is gone afterwards.</summary>
    /// <returns>Null if nobody hands over to this process.</returns>
    public static HandOverLink? FromEnvironment()
    {
        var number = EnvironmentNumber.Of(Variable);
        Environment.SetEnvironmentVariable(Variable, null);
        if (!OperatingSystem.IsLinux() || number is null or > int.MaxValue) return null;
        var socket = (int)number;
        // A number that was copied from elsewhere is no socket, or not one of these.
        int type;
        uint length = sizeof(int);
        if (Native.getsockopt(socket, Native.SOL_SOCKET, Native.SO_TYPE, &type, &length) != 0 || type != Native.SOCK_SEQPACKET)
            return null;
        _ = Native.fcntl(socket, Native.F_SETFD, Native.FD_CLOEXEC);
        return new HandOverLink(socket);
    }

    /// <summary>For tests that are the successor themselves: the end with this number.</summary>
    internal static HandOverLink Of(int socket) => new(socket);

    /// <summary>
    /// The successor takes over: says that it is ready and waits for the sockets, while the old process brings onto the disk what it knows.
    /// From the return on nobody accepts until <see cref="PorticoProxy.FollowAsync"/>, so nothing that takes time may be in between.
    /// </summary>
    /// <param name="dataDirectory">As the settings have it.</param>
    /// <param name="patience">For how long.</param>
    /// <exception cref="HandOverException">The old process is gone or does not want to.</exception>
    public InheritedSockets TakeOver(string dataDirectory, TimeSpan patience)
    {
        SetPatience(patience);
        Send($"{Ready} {dataDirectory}");
        var sockets = new InheritedSockets { AreHeld = true };
        var carried = new List<int>();
        while (true)
        {
            var text = Receive(carried);
            foreach (var descriptor in carried)
            {
                if (!sockets.Add(descriptor)) _ = Native.close(descriptor);
            }

            carried.Clear();
            switch (text)
            {
                case "sockets":
                    break;
                case "yours":
                    return sockets;
                default:
                    sockets.Dispose();
                    throw new HandOverException(text is null ? "the proxy to succeed is gone" : $"the proxy to succeed says: {text}");
            }
        }
    }

    /// <summary>For the successor: completes when the administration of the old process is closed, or that process is gone.</summary>
    public Task DoorsFree => _doors.Task;

    /// <summary>For the old process: its administration is closed.</summary>
    public void FreeDoors() => Send("doors");

    /// <summary>Gives both ends up: the other one hears of it.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_isDisposed) return;
            _isDisposed = true;
            // Another thread may be waiting on it, which close alone would not wake.
            _ = Native.shutdown(_socket, Native.SHUT_RDWR);
            _ = Native.close(_socket);
        }
    }

    /// <summary>The old process waits until its successor is ready.</summary>
    /// <returns>The data directory of the successor.</returns>
    internal string ExpectReady(TimeSpan patience)
    {
        SetPatience(patience);
        var (beginning, text) = (Ready + " ", ReceiveOrEnd());
        return text.StartsWith(beginning, StringComparison.Ordinal) ? text[beginning.Length..]
            : throw new HandOverException(
                "the successor speaks another version of the hand-over, or keeps its data in another way; restart the proxy instead");
    }

    /// <summary>The old process gives everything away.</summary>
    internal void Give(ReadOnlySpan<int> sockets)
    {
        for (; !sockets.IsEmpty; sockets = sockets[Math.Min(sockets.Length, DescriptorMessage.MostDescriptors)..])
            Send("sockets", sockets[..Math.Min(sockets.Length, DescriptorMessage.MostDescriptors)]);
        Send("yours");
    }

    /// <summary>The old process waits until its successor could accept, lets it, and waits until it does.</summary>
    /// <param name="patience">For how long, each time.</param>
    /// <param name="patienceForAnswers">For the answer to each question that is asked afterwards.</param>
    /// <param name="going">Called in between: from here on the successor may let clients in.</param>
    internal void Commit(TimeSpan patience, TimeSpan patienceForAnswers, Action going)
    {
        SetPatience(patience);
        Expect("serving");
        going();
        Send("go");
        Expect("accepting");
        SetPatience(patienceForAnswers);
    }

    /// <summary>The successor could accept; waits until it shall.</summary>
    internal void AwaitCommit()
    {
        Send("serving");
        if (Receive([]) != "go")
            throw new HandOverException("the proxy to succeed has given the hand-over up");
    }

    /// <summary>The successor accepts.</summary>
    internal void Accepting() => Send("accepting");

    /// <summary>The old process asks about a client, one question at a time. A thread that does nothing else answers.</summary>
    /// <param name="question">Bytes that only the two processes understand.</param>
    /// <returns>What was answered, or null if nothing was.</returns>
    internal byte? Ask(ReadOnlySpan<byte> question)
    {
        lock (_gate)
        {
            Span<byte> answer = stackalloc byte[1];
            if (_isDisposed || _isBroken) return null;
            // An answer that comes too late would be taken for that to the next question.
            _isBroken = DescriptorMessage.Send(_socket, [], question, []) != 0 || DescriptorMessage.Receive(_socket, answer, []) != 1;
            return _isBroken ? null : answer[0];
        }
    }

    /// <summary>The successor hears the old process out, on the calling thread, until that ends.</summary>
    /// <param name="answer">To questions.</param>
    internal void Listen(Func<ReadOnlySpan<byte>, byte> answer)
    {
        try
        {
            SetPatience(Timeout.InfiniteTimeSpan);
            Span<byte> message = stackalloc byte[MostText];
            Span<byte> reply = stackalloc byte[1];
            while (DescriptorMessage.Receive(_socket, message, []) is > 0 and var length)
            {
                if (message[..length].SequenceEqual("doors"u8))
                {
                    _doors.TrySetResult();
                    continue;
                }

                reply[0] = answer(message[..length]);
                if (DescriptorMessage.Send(_socket, [], reply, []) != 0) break;
            }
        }
        finally
        {
            _doors.TrySetResult();
            Dispose(); // nobody answers any more, and the other side hears of it
        }
    }

    /// <summary>Says something, with sockets.</summary>
    internal void Send(string text, ReadOnlySpan<int> sockets = default)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var error = bytes.Length <= MostText ? DescriptorMessage.Send(_socket, [], bytes, sockets) : Native.ENAMETOOLONG;
        if (error != 0)
            throw new HandOverException($"the other process cannot be reached: error {error}");
    }

    private void Expect(string word)
    {
        if (ReceiveOrEnd() != word)
            throw new HandOverException("the successor did not begin to serve");
    }

    private string ReceiveOrEnd() =>
        Receive([]) ?? throw new HandOverException("the successor ended before it was ready; what it wrote says why");

    // Null at the end.
    private string? Receive(List<int> carried)
    {
        Span<byte> bytes = stackalloc byte[MostText];
        var length = DescriptorMessage.Receive(_socket, bytes, carried);
        if (length < 0 && Native.Errno == Native.EAGAIN)
            throw new HandOverException("the other process said nothing for too long");
        return length > 0 ? Encoding.UTF8.GetString(bytes[..length]) : null;
    }

    private void SetPatience(TimeSpan patience)
    {
        var time = new Native.TimeValue
        {
            Seconds = patience == Timeout.InfiniteTimeSpan ? 0 : (nint)patience.TotalSeconds,
            Microseconds = patience == Timeout.InfiniteTimeSpan ? 0 : patience.Microseconds + (patience.Milliseconds * 1000),
        };
        _ = Native.setsockopt(_socket, Native.SOL_SOCKET, Native.SO_RCVTIMEO, &time, (uint)sizeof(Native.TimeValue));
    }
}

using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Portico.Core.Options;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Secrets;

namespace Portico.Core.Cover.Learning;

/// <summary>
/// One connection to a cover: a hello as our clients send it, and the flight that comes back,
/// measured without decrypting. A server ends its flight by waiting for the client;
/// so silence after whole records is the end. Runs on the thread pool.
/// </summary>
/// <param name="connector">How the cover is reached.</param>
/// <param name="hellos">Where hellos under way are known.</param>
/// <param name="time">The clock of all limits.</param>
/// <param name="patience">For connecting, and again for the whole answer.</param>
internal sealed class FlightProbe(CoverConnector connector, LearnerHellos hellos, TimeProvider time, TimeSpan patience)
{
    /// <summary>
    /// Silence that ends a flight, where the cover is near.
    /// A far one that sends more than its first window pauses for a round trip.
    /// </summary>
    public static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(300);

    /// <summary>For the cover's close, which is no news.</summary>
    public static readonly TimeSpan Farewell = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan LongestQuiet = TimeSpan.FromSeconds(3);

    /// <summary>No server has a shorter one: what comes without a certificate is an encrypted alert.</summary>
    private const int LeastEncrypted = 128;

    private const int ReadSize = 16 * 1024;

    /// <summary>Asks once. A cover that does not answer as it should is a value, never an exception.</summary>
    /// <param name="target">Where.</param>
    /// <param name="domain">For whom to ask.</param>
    /// <param name="question">What to send.</param>
    /// <param name="stop">Ends it at once.</param>
    /// <exception cref="OperationCanceledException">Because of <paramref name="stop"/>.</exception>
    public async Task<FlightSample> AskAsync(CoverTarget target, string domain, FlightQuestion question, CancellationToken stop)
    {
        var began = time.GetTimestamp();
        var connected = await connector.ConnectAsync(target, patience, stop).ConfigureAwait(false);
        if (connected.Socket is not { } socket)
            return new FlightSample(question, connected.Problem);
        using (socket)
        {
            var quiet = Quiet + (3 * time.GetElapsedTime(began));
            var hello = Hello(domain, question);
            using var underWay = hellos.Add(hello);
            using var limit = new Limit(patience, time, stop);
            var meter = new ServerFlightMeter();
            FlightProblem problem;
            try
            {
                await SendAsync(socket, hello, limit.Token).ConfigureAwait(false);
                problem = await MeasureAsync(socket, meter, quiet < LongestQuiet ? quiet : LongestQuiet, limit).ConfigureAwait(false);
                await LeaveAsync(socket, stop).ConfigureAwait(false);
            }
            catch (SocketException)
            {
                problem = FlightProblem.Closed;
            }
            catch (OperationCanceledException) when (limit.IsReached)
            {
                problem = FlightProblem.Timeout;
            }

            if (underWay.CameBack) problem = FlightProblem.Loop;
            return problem == FlightProblem.None
                ? new FlightSample(question, problem, meter.Hello, meter.EncryptedLength)
                : new FlightSample(question, problem);
        }
    }

    private async Task<FlightProblem> MeasureAsync(Socket socket, ServerFlightMeter meter, TimeSpan quiet, Limit limit)
    {
        var buffer = new byte[ReadSize];
        while (true)
        {
            var mayBeOver = meter is { IsAtBoundary: true, EncryptedLength: > 0 };
            using var silence = mayBeOver ? new Limit(quiet, time, limit.Token) : null;
            int count;
            try
            {
                count = await socket.ReceiveAsync(buffer, SocketFlags.None, silence?.Token ?? limit.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (silence is { IsReached: true } && !limit.Token.IsCancellationRequested)
            {
                count = 0;
            }

            if (count == 0)
                return mayBeOver && meter.EncryptedLength >= LeastEncrypted ? FlightProblem.None : FlightProblem.Closed;
            var end = meter.Feed(buffer.AsSpan(0, count));
            if (end != ServerFlightEnd.None) return FlightProblems.Of(end);
        }
    }

    // As a client that has changed its mind: everything read, FIN, and the other side's FIN. Closing with bytes unread would be a RST.
    private async Task LeaveAsync(Socket socket, CancellationToken stop)
    {
        using var limit = new Limit(Farewell, time, stop);
        var buffer = new byte[ReadSize];
        try
        {
            socket.Shutdown(SocketShutdown.Send);
            for (var left = ServerFlightMeter.MaxEncryptedLength; left > 0;)
            {
                var count = await socket.ReceiveAsync(buffer, SocketFlags.None, limit.Token).ConfigureAwait(false);
                if (count == 0) return;
                left -= count;
            }
        }
        catch (SocketException)
        {
            // What we wanted to know we know.
        }
        catch (OperationCanceledException) when (limit.IsReached)
        {
            // It keeps its side open; we need not.
        }
    }

    private static byte[] Hello(string domain, FlightQuestion question)
    {
        var hello = new byte[ClientHelloWriter.MaxLength];
        // Nobody knows this secret, so no proxy takes the hello for a client's, we included.
        using var key = new HmacKey(ProxySecret.Create(RandomNumberGenerator.GetBytes(ProxySecret.Length)));
        var writer = new ClientHelloWriter(RandomNumberGenerator.Fill) { Suites = question.Offer };
        var length = writer.Write(
            hello, question.Shape, Encoding.ASCII.GetBytes(domain), key, (uint)RandomNumberGenerator.GetInt32(int.MaxValue));
        return hello[..length];
    }

    private static async ValueTask SendAsync(Socket socket, ReadOnlyMemory<byte> bytes, CancellationToken stop)
    {
        while (!bytes.IsEmpty) bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None, stop).ConfigureAwait(false)..];
    }
}

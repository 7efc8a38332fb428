using System.Runtime.InteropServices;
using System.Text;
using Portico.TestKit;

namespace Portico.IntegrationTests.Tdlib;

/// <summary>The four functions of TDLib's JSON interface. All clients of a process share one queue of answers.</summary>
internal static unsafe class TdJson
{
    private static readonly string LibraryPath =
        Path.Combine(RepositoryRoot.Path, ".tools", "node_modules", "@prebuilt-tdlib", "linux-x64-glibc", "libtdjson.so");

    private static readonly Lazy<Functions> Loaded = new(() => new Functions(NativeLibrary.Load(LibraryPath)));

    internal static bool IsInstalled => File.Exists(LibraryPath);

    internal static int CreateClient() => Loaded.Value.Create();

    internal static void Send(int client, string request)
    {
        fixed (byte* text = Terminated(request))
            Loaded.Value.Send(client, text);
    }

    /// <summary>The next answer or update of any client; null if none came in time. One thread at a time.</summary>
    internal static string? Receive(double seconds) => Marshal.PtrToStringUTF8((nint)Loaded.Value.Receive(seconds));

    /// <summary>For the few requests that need no client.</summary>
    internal static string? Execute(string request)
    {
        fixed (byte* text = Terminated(request))
            return Marshal.PtrToStringUTF8((nint)Loaded.Value.Execute(text));
    }

    private static byte[] Terminated(string text) => Encoding.UTF8.GetBytes(text + '\0');

    private sealed class Functions(nint library)
    {
        internal readonly delegate* unmanaged[Cdecl]<int> Create =
            (delegate* unmanaged[Cdecl]<int>)NativeLibrary.GetExport(library, "td_create_client_id");

        internal readonly delegate* unmanaged[Cdecl]<int, byte*, void> Send =
            (delegate* unmanaged[Cdecl]<int, byte*, void>)NativeLibrary.GetExport(library, "td_send");

        internal readonly delegate* unmanaged[Cdecl]<double, byte*> Receive =
            (delegate* unmanaged[Cdecl]<double, byte*>)NativeLibrary.GetExport(library, "td_receive");

        internal readonly delegate* unmanaged[Cdecl]<byte*, byte*> Execute =
            (delegate* unmanaged[Cdecl]<byte*, byte*>)NativeLibrary.GetExport(library, "td_execute");
    }
}

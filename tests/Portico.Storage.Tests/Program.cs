using Portico.Storage.Tests.Children;

namespace Portico.Storage.Tests;

/// <summary>What tests start as a process of its own.</summary>
internal static class Program
{
    public static int Main(string[] arguments)
    {
        switch (arguments)
        {
            case [WritingChild.Verb, var directory]:
                WritingChild.Run(directory);
                return 0;
            case [FullDiskChild.Verb, var directory]:
                FullDiskChild.Run(directory);
                return 0;
            default:
                return 2;
        }
    }
}

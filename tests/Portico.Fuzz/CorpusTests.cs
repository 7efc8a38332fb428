using Portico.Fuzz.Checking;
using Portico.Fuzz.Searching;
using Portico.Fuzz.Targets;
using Xunit;

namespace Portico.Fuzz;

/// <summary>Every input that is known to be instructive, or once was fatal.</summary>
public sealed class CorpusTests
{
    [Theory]
    [MemberData(nameof(AllTargets.Names), MemberType = typeof(AllTargets))]
    internal void Every_known_input_is_stood(string name)
    {
        var target = AllTargets.Named(name);
        using var ground = new Ground(new SplitMix(1));
        // One input can be given from outside, to see again what a search found.
        IEnumerable<CorpusItem> items = Variables.OneInput is { } one ? [new CorpusItem(Variables.Input, one)] : Corpus.Of(target);
        var problems = items.Select(item => (item.Name, Problem: Record.Exception(() => CheckWhole(target, item.Bytes, ground))))
            .Where(result => result.Problem is not null).ToList();

        Assert.Empty(problems);
    }

    [Theory]
    [MemberData(nameof(AllTargets.Names), MemberType = typeof(AllTargets))]
    internal void Known_inputs_and_their_beginnings_reach_everything_a_parser_may_say(string name)
    {
        var target = AllTargets.Named(name);
        using var ground = new Ground(new SplitMix(1));
        var reached = Corpus.Of(target).SelectMany(item => (byte[][])[item.Bytes, item.Bytes[..(item.Bytes.Length / 2)]])
            .Select(input => target.Check(input, ground).Outcome.Name);

        Assert.Equal(target.Expected.Order(), reached.Distinct().Order());
    }

    [Fact]
    public void Every_folder_of_the_corpus_belongs_to_a_target_and_none_is_empty()
    {
        var folders = Directory.GetDirectories(Corpus.Folder).Select(folder => Path.GetFileName(folder)!).ToList();

        Assert.NotEmpty(folders);
        Assert.All(folders, folder => Assert.NotEmpty(Corpus.Files(AllTargets.Named(folder).Name)));
    }

    private static void CheckWhole(Target target, byte[] input, Ground ground)
    {
        target.Check(input, ground);
        target.CheckThoroughly(input, ground);
    }
}

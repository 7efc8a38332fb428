namespace Portico.Doctor;

/// <summary>How bad a finding is; only <see cref="Fail"/> makes the exit code 1.</summary>
internal enum Verdict
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>It was not looked at, or could not be.</summary>
    Skip,

    /// <summary>It works, but not for everybody, or not for long.</summary>
    Warn,

    /// <summary>Clients are kept out, or will be.</summary>
    Fail,
}

/// <summary>One thing that a check can find; the closed list is <see cref="Diagnoses"/>.</summary>
/// <param name="Name">Unique and for ever: scripts and docs/doctor.md know it.</param>
/// <param name="Verdict">The same each time.</param>
internal sealed record Diagnosis(string Name, Verdict Verdict)
{
    /// <summary>It was found.</summary>
    /// <param name="text">What was seen here, and what that means. Never holds a secret.</param>
    /// <param name="cure">What to do; empty where there is nothing to do.</param>
    public Finding Found(string text, string cure = "") => new(this, text, cure);
}

/// <summary>What a check has to say.</summary>
internal sealed record Finding(Diagnosis Diagnosis, string Text, string Cure)
{
    public Verdict Verdict => Diagnosis.Verdict;
}

/// <summary>One question about this machine, this configuration or the world around them.</summary>
internal interface ICheck
{
    /// <summary>The first column of the table: one word.</summary>
    string Name { get; }

    /// <summary>Looks. What goes wrong on the way is a finding and no exception.</summary>
    /// <param name="stop">The time is over.</param>
    Task<IReadOnlyList<Finding>> RunAsync(CancellationToken stop);
}

/// <summary>A finding with the check that has it.</summary>
internal sealed record Entry(string Check, Finding Finding);

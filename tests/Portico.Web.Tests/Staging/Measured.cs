using Xunit;

namespace Portico.Web.Tests.Staging;

/// <summary>Tests that measure, one at a time and beside no others.</summary>
[CollectionDefinition(nameof(Measured), DisableParallelization = true)]
public sealed class Measured;

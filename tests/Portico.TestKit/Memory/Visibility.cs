using System.Runtime.CompilerServices;

// What derives from internal types of the loop is internal itself.
[assembly: InternalsVisibleTo("Portico.Core.Tests")]
[assembly: InternalsVisibleTo("Portico.IntegrationTests")]

using Microsoft.AspNetCore.Http;

namespace Portico.Web.Site;

/// <summary>What everybody sees who is not ours.</summary>
internal interface IWebSite
{
    /// <summary>Answers a request, whatever it asks for.</summary>
    /// <param name="context">The request.</param>
    /// <param name="target">Its raw target.</param>
    Task AnswerAsync(HttpContext context, string target);
}

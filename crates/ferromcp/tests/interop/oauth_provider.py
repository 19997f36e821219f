"""An authorization provider in memory for servers of the Python SDKs. The user `ada` grants each authorization."""

import secrets
import time

from mcp.server.auth.provider import AccessToken, AuthorizationCode, RefreshToken, construct_redirect_uri
from mcp.shared.auth import OAuthToken

CODE_SECONDS = 60


class MemoryProvider:
    def __init__(self, access_token_seconds):
        self.seconds = access_token_seconds
        self.clients, self.codes, self.access, self.refresh = {}, {}, {}, {}
        self.resources = {}  # by refresh token

    async def get_client(self, client_id):
        return self.clients.get(client_id)

    async def register_client(self, client):
        self.clients[client.client_id] = client

    async def authorize(self, client, params):
        code = AuthorizationCode(
            code=secrets.token_urlsafe(32),
            scopes=params.scopes or [],
            expires_at=time.time() + CODE_SECONDS,
            client_id=client.client_id,
            code_challenge=params.code_challenge,
            redirect_uri=params.redirect_uri,
            redirect_uri_provided_explicitly=params.redirect_uri_provided_explicitly,
            resource=params.resource,
        )
        self.codes[code.code] = code
        return construct_redirect_uri(str(params.redirect_uri), code=code.code, state=params.state)

    async def load_authorization_code(self, client, code):
        return self.codes.get(code)

    async def exchange_authorization_code(self, client, code):
        del self.codes[code.code]
        return self.issue(client, code.scopes, code.resource)

    async def load_refresh_token(self, client, token):
        return self.refresh.get(token)

    async def exchange_refresh_token(self, client, token, scopes):
        del self.refresh[token.token]
        return self.issue(client, scopes, self.resources.pop(token.token))

    def issue(self, client, scopes, resource):
        token, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        expires_at = int(time.time()) + self.seconds
        self.access[token] = AccessToken(
            token=token, client_id=client.client_id, scopes=scopes, expires_at=expires_at, resource=resource
        )
        self.resources[refresh] = resource
        self.refresh[refresh] = RefreshToken(token=refresh, client_id=client.client_id, scopes=scopes)
        return OAuthToken(access_token=token, expires_in=self.seconds, scope=" ".join(scopes), refresh_token=refresh)

    async def load_access_token(self, token):
        return self.access.get(token)

    async def revoke_token(self, token):
        self.access.pop(token.token, None)
        self.refresh.pop(token.token, None)

window.YTD.account.part0 = [
  {
    "account": {
      "createdVia": "web",
      "username": "invented_one",
      "accountId": "7",
      "createdAt": "2020-01-01T00:00:00.000Z",
      "accountDisplayName": "Invented One"
    }
  }
]
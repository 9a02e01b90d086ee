window.__THAR_CONFIG = {
  "userInfo": {
    "accountId": "7",
    "userName": "invented_one",
    "displayName": "Invented One"
  },
  "archiveInfo": {
    "sizeBytes": "1000",
    "generationDate": "2026-10-01T08:28:39.123Z",
    "isPartialArchive": false,
    "maxPartSizeBytes": "53687091200"
  },
  "dataTypes": {
    "follower": {
      "mediaDirectory": "",
      "files": [
        {
          "fileName": "data/follower.js",
          "globalName": "YTD.follower.part0",
          "count": "3"
        }
      ]
    },
    "following": {
      "files": [
        {
          "fileName": "data/following.js",
          "globalName": "YTD.following.part0",
          "count": "2"
        }
      ]
    }
  }
}